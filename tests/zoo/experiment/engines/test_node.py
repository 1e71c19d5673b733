"""What a worker does with a job: the data are found or the machine is named, plugins are there."""

import os
import textwrap

from benchmark import record
from tests.zoo.conftest import ask
from tests.zoo.experiment.engines.conftest import results
from tests.zoo.experiment.engines.test_errands import Heard, seen
from zoo import plugins
from zoo.experiment.data import open_dataset
from zoo.experiment.execute import execute
from zoo.experiment.plan import plan

ONE_MACHINE = """
    import os
    import ray
    from zoo.experiment.data import open_dataset

    def on_one_machine(root=None):
        here = ray.get_runtime_context().get_node_id()
        if here == {lacking!r} and os.getpid() != {driver}:
            raise FileNotFoundError(f"{{root}} is not there")
        return open_dataset("folder", root)

    DATASETS = (on_one_machine,)
"""


def lacking_data(cluster, monkeypatch, tmp_path):
    """Ray's id of one of the machines, which the data set of a plugin's file is kept from."""
    monkeypatch.setattr(plugins, "_ADDED", {k: dict(v) for k, v in plugins._ADDED.items()})
    monkeypatch.setattr(plugins, "CALLS", dict(plugins.CALLS))
    (lacking,) = [node.node_id for node in cluster.worker_nodes]
    plugin = tmp_path / "plugin.py"
    plugin.write_text(
        textwrap.dedent(ONE_MACHINE).format(lacking=lacking, driver=os.getpid()), encoding="utf-8"
    )
    plugins.add_plugin(str(plugin))
    return lacking


def test_a_machine_without_the_data_is_named_and_gets_no_runs(
    engine, cluster, shaky, people, monkeypatch, tmp_path
):
    lacking = lacking_data(cluster, monkeypatch, tmp_path)
    asked = ask(people, tmp_path / "o", methods="shaky", dataset="on_one_machine", seeds=3)
    heard = Heard()
    assert execute(plan(asked, engine=engine), heard, engine) == []
    assert len(results(tmp_path / "o")) == 3
    (line,) = seen(heard, "gets no more runs")
    assert lacking[:6] in line and line.endswith(f"{people} is not there")
    assert not seen(heard, "begun again")


def test_a_data_set_made_in_python_is_sent_and_records_say_where_it_was(
    engine, shaky, people, tmp_path
):
    whole = open_dataset("folder", people)
    asked = ask(people, tmp_path, methods="shaky", dataset=whole, data_root=None, seeds=2)
    assert execute(plan(asked, engine=engine), engine=engine) == []
    for path in tmp_path.glob("runs/*/records/*.json"):
        found = record.load(path).environment
        assert found["engine"] == "ray" and found["node"] and found["threads"] == 1
