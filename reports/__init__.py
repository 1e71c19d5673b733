"""Records in; tables, figures and pages out. Needs neither torch nor images."""
