"""A method like `sta` whose process dies, fails or waits where a file says so."""

import os
import time
from pathlib import Path


def shaky_in(marks, driver):
    """The method; it obeys files in ``marks``, each once, in every process but the driver's."""
    import torch.distributed as dist

    marks = Path(marks)

    def taken(name):
        try:
            (marks / name).unlink()
        except FileNotFoundError:
            return False
        return True

    def die():
        os.kill(os.getpid(), 9)

    def in_haste():
        """Checkpoints after each epoch, sent at once; nothing is timed for long."""
        from benchmark import training_state
        from benchmark.cost import timing
        from zoo.experiment.engines import travel

        training_state.SAVE_EVERY = travel.EVERY_S = 0.0
        timing.ATTEMPTS, timing.MOST_SECONDS, timing.BATCHES = 1, 0.02, (1,)
        replace = Path.replace

        def replaced(self, target):
            if str(target).endswith("checkpoint.pt") and taken("checkpoint"):
                die()
            return replace(self, target)

        if replace.__name__ != "replaced":
            Path.replace = replaced

    def wait_for_the_end_of_this_machine():
        import ray

        here = ray.get_runtime_context().get_node_id()
        if (marks / "head").read_text() == here or not taken("node"):
            return
        (marks / "node-id").write_text(here)
        time.sleep(120)

    def before_forward(model, clips):
        model.seen = getattr(model, "seen", 0) + 1
        if not clips[0].any():
            return  # it is being timed
        if model.training and model.seen == 5:
            if dist.is_initialized() and dist.get_rank() > 0:
                if taken("other"):
                    die()
                if taken("fail-other"):
                    raise RuntimeError("broken on purpose\nin one")
            if taken("train"):
                die()
            if taken("fail"):
                raise RuntimeError("broken on purpose\nand more")
            if (marks / "node").exists():
                wait_for_the_end_of_this_machine()
        if not model.training and taken("embed"):
            die()

    def shaky(backbone="resnet50", num_classes=0):
        from methods.sta import sta

        model = sta(backbone, num_classes)
        if os.getpid() != driver:
            in_haste()
            model.register_forward_pre_hook(before_forward)
        return model

    return shaky
