"""Is this copy of a data set right?"""
