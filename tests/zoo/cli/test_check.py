"""``zoo check``."""

PLUGIN = """
from torch import nn
from methods.head import Head

class Colour(nn.Module):
    distance = "cosine"
    def __init__(self, num_classes):
        super().__init__()
        self.linear = nn.Linear(3, 6)
        self.head = Head(6, num_classes, neck="none")
    @property
    def neck(self):
        return self.head.neck
    def forward(self, clips):
        return self.head(self.linear(FEATURE))

def NAME(num_classes: int = 0, *, depth: int = 1):
    '''A method of one's own.'''
    return Colour(num_classes)

METHODS = (NAME,)
"""


def write(folder, name, feature):
    path = folder / f"{name}.py"
    path.write_text(PLUGIN.replace("NAME", name).replace("FEATURE", feature))
    return path


def test_a_plugin_is_listed_and_checked_like_our_own(call, tmp_path):
    plugin = write(tmp_path, "colour_checked", "clips.mean((1, 3, 4))")
    listed = call("list", "methods", "colour_checked", "--plugin", plugin)[1]
    assert "colour_checked\tdepth=1\tA method of one's own." in listed
    status, out, _ = call("check", "colour_checked", "--plugin", plugin)
    assert status == 0 and "FAIL" not in out and out.count("\tpass\t") >= 6


def test_a_plugin_that_fails_a_check_is_told_which(call, tmp_path):
    mixed = "clips.mean((0, 1, 3, 4)).expand(len(clips), 3)"
    plugin = write(tmp_path, "colour_mixed", mixed)
    status, out, _ = call("check", "colour_mixed", "--plugin", plugin)
    failed = [line for line in out.splitlines() if "\tFAIL\t" in line]
    assert status == 1 and any("batch" in line for line in failed)


def test_an_unknown_method_is_one_line(call):
    status, _, err = call("check", "stanvan")
    assert status == 2 and "did you mean stenvan" in err
