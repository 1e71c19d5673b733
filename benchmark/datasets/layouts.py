"""How each data set lies on disk, as ``zoo data layout`` prints it."""

from benchmark.datasets.duke_video import WITHDRAWN
from benchmark.variants import choose

LAYOUTS = {
    "mars": """
DIR/                                  also DIR/mars/ or DIR/MARS/
  bbox_train/                         also bbox_train/bbox_train/
    0001/0001C1T0001F001.jpg          625 persons: person, camera, tracklet, frame
  bbox_test/                          also bbox_test/bbox_test/
    00-1/00-1C1T0001F001.jpg          junk
    0000/0000C1T0001F001.jpg          distractors
    0002/0002C1T0001F001.jpg          634 persons
  info/                               also MARS-evaluation/info/
    tracks_train_info.mat             these three from MARS-evaluation
    tracks_test_info.mat
    query_IDX.mat
    train_name.txt, test_name.txt     if missing, rebuilt from the folders
""",
    "duke_video": f"""
DIR/                                  also DIR/DukeMTMC-VideoReID/ or
                                      DIR/dukemtmc-vidreid/DukeMTMC-VideoReID/
  train/0001/0001/                    702 persons, 2,196 tracklets
    0001_C6_F0099_X30823.jpg          person, camera, frame, frame in the video;
                                      also 0001C6F0099X30823.jpg
  query/0002/0001/...                 702 persons, 702 tracklets
  gallery/0002/0001/...               1,110 persons, 2,636 tracklets, queries included

{WITHDRAWN}.
""",
    "ilids_vid": """
DIR/
  i-LIDS-VID/                         also one more level of it, or none
    sequences/
      cam1/person001/cam1_person001_00317.png     300 persons
      cam2/person001/cam2_person001_00100.png     the same 300
  train-test people splits/           also inside i-LIDS-VID/
    train_test_splits_ilidsvid.mat    10 splits into 150 and 150
""",
    "prid2011": """
DIR/                                  also DIR/prid_2011/
  multi_shot/
    cam_a/person_0001/0001.png        385 persons
    cam_b/person_0001/0001.png        749 persons; 0001 to 0200 are in both
  splits_prid2011.json                10 splits into 89 and 89; or
  train_test_splits_prid.mat          the same, from iLIDS-VID's 'train-test people splits/';
                                      with prid2011[persons=200] neither is needed
""",
    "lsvid": """
DIR/                                  also DIR/LS-VID/
  tracklet_train/                     images anywhere below, as the lists say;
  tracklet_test/                      the third field of a name is the camera: 0001_0002_03_0004.jpg
  list_sequence/                      also info/list_sequence/
    list_seq_train.txt                lines '<prefix> <person>': 2,831 tracklets of 842 persons
    list_seq_test.txt                 11,333 tracklets
  test/data/info_test.mat             3,504 queries; also info/data/info_test.mat or test/query.npy
""",
    "folder": """
DIR/
  train/<person>/<camera>_<tracklet>/*.jpg
  query/<person>/<camera>_<tracklet>/*.jpg
  gallery/<person>/<camera>_<tracklet>/*.jpg

Any names; frames in the order of theirs. Person -1 is junk. .png and .jpeg, too.
Without cameras: folder[cameras=false], and <tracklet>/ alone will do.
""",
    "csv": """
DIR/tracklets.csv                     or any table: --data-root TABLE.csv
  split,pid,camid,tracklet,path       first line; then one line an image, or a folder of images
  train,alice,1,a,alice/1/0001.jpg    split is train, query or gallery;
  query,bob,1,b,bob/1                 path is relative to the table's folder and stays in it

Frames in the order of their names, numbers by value. Person -1 is junk.
Without cameras: csv[cameras=false], and no column camid.
""",
    "synthetic": """
DIR/synthetic-<hash>/                 rendered by `zoo data make synthetic`, in a cache without DIR
  bbox_train/, bbox_test/, info/      as MARS: see `zoo data layout mars`
  synthetic.json                      the knobs
""",
}


def layout(name: str) -> str:
    """The tree of files that a data set is expected in.

    Raises:
        LookupError: there is no such data set.
    """
    return choose(name, LAYOUTS, "data set").strip("\n")
