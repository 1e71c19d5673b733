"""The papers that methods are of: authors, venue, and which of our methods are theirs.

Authors are the family names that the methods' docstrings give; a field that is not known is blank.
"""

from typing import NamedTuple


class Paper(NamedTuple):
    """One paper.

    Attributes:
        key: what we call it; also the family of its methods.
        authors: family names, in order; ``others`` for those who are not named.
        title: as printed.
        year: of publication.
        methods: ours, without arguments; baselines stand with the paper that compares with them.
        venue: conference or journal, in short.
        is_article: it appeared in a journal.
        arxiv: number of its preprint.
        link: a page of the paper, or of its code where no page is known for certain.
    """

    key: str
    authors: tuple[str, ...]
    title: str
    year: int
    methods: tuple[str, ...]
    venue: str = ""
    is_article: bool = False
    arxiv: str = ""
    link: str = ""

    @property
    def cited(self) -> str:
        """Title, venue and year."""
        return f"{self.title} ({' '.join(filter(None, (self.venue, str(self.year))))})"

    @property
    def bibtex(self) -> str:
        """The entry, with the fields that are known."""
        kind = "article" if self.is_article else "inproceedings" if self.venue else "misc"
        fields = {
            "author": " and ".join(self.authors),
            "title": f"{{{self.title}}}",
            "journal" if self.is_article else "booktitle": self.venue,
            "year": str(self.year),
            "eprint": self.arxiv,
            "archiveprefix": "arXiv" if self.arxiv else "",
        }
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
        return "\n".join([f"@{kind}{{{self.key}{self.year},", *lines, "}"])


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PAPERS = (
    Paper(
        key="stenvan",
        authors=("Liu", "Wu", "Wang", "Chien"),
        title="Spatially and Temporally Efficient Non-local Attention Network for Video-based "
        "Person Re-Identification",
        venue="BMVC",
        year=2019,
        link="https://bmvc2019.org/wp-content/papers/0398.html",
        methods=_names(
            "nvan nvan_1layer nvan_3layer nvan_s nvan_t stenvan resnet50_avg resnet50_max"
        ),
    ),
    Paper(
        key="nlam",
        authors=("Liu", "Du", "Li", "Liu", "Zou"),
        title="Non-Local Spatial and Temporal Attention Network for Video-Based Person "
        "Re-Identification",
        venue="Applied Sciences",
        is_article=True,
        year=2020,
        link="https://www.mdpi.com/2076-3417/10/15/5385",
        methods=_names(
            "nlam_nltp nlam_tp resnet50_tp resnet50_ta resnet50_rnn seresnet50_tp seresnet50_ta "
            "seresnet50_rnn"
        ),
    ),
    Paper(
        key="sta",
        authors=("Fu", "Wang", "Wei", "Huang"),
        title=(
            "STA: Spatial-Temporal Attention for Large-Scale Video-based Person Re-Identification"
        ),
        venue="AAAI",
        year=2019,
        link="https://arxiv.org/abs/1811.04129",
        methods=_names("sta sta_fusion sta_attention sta_avg sta_baseline"),
    ),
    Paper(
        key="resnet3d",
        authors=("Liao", "He", "Yang", "Zhang"),
        title="Video-based Person Re-identification via 3D Convolutional Networks and Non-local "
        "Attention",
        year=2018,
        link="https://arxiv.org/abs/1807.05073",
        methods=_names("resnet3d50_nl resnet3d50 resnet50_image"),
    ),
    Paper(
        key="ap3d",
        authors=("Gu", "Chang", "Ma", "Zhang", "Chen"),
        title="Appearance-Preserving 3D Convolution for Video-based Person Re-identification",
        venue="ECCV",
        year=2020,
        arxiv="2007.08434",
        link="https://arxiv.org/abs/2007.08434",
        methods=_names("c2d i3d ap_i3d p3d ap3d c2d_nl ap3d_nl"),
    ),
    Paper(
        key="cosam",
        authors=("Subramaniam", "Nambiar", "Mittal"),
        title=(
            "Co-segmentation Inspired Attention Networks for Video-based Person Re-identification"
        ),
        venue="ICCV",
        year=2019,
        link=(
            "https://openaccess.thecvf.com/content_ICCV_2019/html/"
            "Subramaniam_Co-Segmentation_Inspired_Attention_Networks_for_"
            "Video-Based_Person_Re-Identification_ICCV_2019_paper.html"
        ),
        methods=("cosam",),
    ),
    Paper(
        key="tclnet",
        authors=("Hou", "Chang", "Ma", "Shan", "Chen"),
        title="Temporal Complementary Learning for Video Person Re-Identification",
        venue="ECCV",
        year=2020,
        link="https://arxiv.org/abs/2007.09357",
        methods=("tclnet",),
    ),
    Paper(
        key="bicnet",
        authors=("Hou", "Chang", "Ma", "Huang", "Shan"),
        title="BiCnet-TKS: Learning Efficient Spatial-Temporal Representation for Video Person "
        "Re-Identification",
        venue="CVPR",
        year=2021,
        link="https://arxiv.org/abs/2104.14783",
        methods=("bicnet_tks",),
    ),
    Paper(
        key="tf_clip",
        authors=("Yu", "Liu", "Wang", "Zhang", "Lu"),
        title="TF-CLIP: Learning Text-free CLIP for Video-based Person Re-Identification",
        venue="AAAI",
        year=2024,
        link="https://arxiv.org/abs/2312.09627",
        methods=("tf_clip",),
    ),
    Paper(
        key="psta",
        authors=("Wang", "Zhang", "Gao", "Geng", "Lu", "Wang"),
        title="Pyramid Spatial-Temporal Aggregation for Video-based Person Re-Identification",
        venue="ICCV",
        year=2021,
        link="https://github.com/WangYQ9/VideoReID_PSTA",
        methods=("psta",),
    ),
    Paper(
        key="sinet",
        authors=("Bai", "Ma", "Chang", "Huang", "Chen"),
        title="Salient-to-Broad Transition for Video Person Re-identification",
        venue="CVPR",
        year=2022,
        link=(
            "https://openaccess.thecvf.com/content/CVPR2022/html/"
            "Bai_Salient-to-Broad_Transition_for_"
            "Video_Person_Re-Identification_CVPR_2022_paper.html"
        ),
        methods=("sinet", "sbnet", "idnet"),
    ),
    Paper(
        key="sanet",
        authors=("Bai", "Ma", "Chang", "Huang", "Shan", "Chen"),
        title="SANet: Statistic Attention Network for Video-Based Person Re-identification",
        venue="TCSVT",
        is_article=True,
        year=2021,
        link="https://doi.org/10.1109/TCSVT.2021.3119983",
        methods=("sanet",),
    ),
    Paper(
        key="clip",
        authors=("Radford", "others"),
        title="Learning Transferable Visual Models From Natural Language Supervision",
        venue="ICML",
        year=2021,
        link="https://arxiv.org/abs/2103.00020",
        methods=("clip_vit_avg",),
    ),
)
_BY_METHOD = {method: paper for paper in PAPERS for method in paper.methods}


def paper_of(method: str) -> Paper | None:
    """The paper of a method or of a variant of it; None for a method that is not ours."""
    return _BY_METHOD.get(method.partition("[")[0])
