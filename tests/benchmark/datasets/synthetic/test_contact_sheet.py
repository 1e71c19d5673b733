from PIL import Image

from benchmark.datasets.synthetic.contact_sheet import contact_sheet
from tests.benchmark.datasets.synthetic.small import SMALL


def test_the_contact_sheet_is_a_picture(small, tmp_path):
    contact_sheet(small, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as image:
        assert image.width > 200
        assert image.height > 10 * SMALL["size"]
