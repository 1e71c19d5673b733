"""The body of a walking person: a skeleton, its gait, and rounded parts that are dressed."""

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from benchmark.datasets.synthetic.clothes import face_texture, leg_texture, torso_texture
from benchmark.datasets.synthetic.parts import Part, Point, add, hanging, mix
from benchmark.datasets.synthetic.people import Person

THIGH, SHIN, ANKLE = 0.245, 0.245, 0.045
UPPER_ARM, FOREARM = 0.165, 0.15
SOLE = 0.021


def parts(person: Person, phase: float) -> Iterator[Part]:
    """The body, dressed, at one moment of its gait."""
    legs = {side: _leg(person, phase, side) for side in (1, -1)}
    hip = SOLE - min(min(leg[3][2], leg[4][2]) for leg in legs.values())  # the lower foot stands
    lift = (0.0, -person.sway * math.cos(phase), hip)
    for side, leg in legs.items():
        yield from _leg_parts(person, [add(joint, lift) for joint in leg], side)
    yield from _trunk_parts(person, lift)
    chest = add(lift, (0.30 * math.sin(person.lean), 0, 0.282 * person.height))
    for side in (1, -1):
        yield from _arm_parts(person, chest, phase, side)
    head = add(chest, (0.012 + 0.1 * math.sin(person.lean), 0, 0.107))
    yield Part(add(chest, (-0.01, 0, -0.02)), head, (0.03, 0.028), (0.03, 0.028), person.skin)
    yield from _head_parts(person, head)
    yield from _bag_parts(person, lift)


def _leg(person: Person, phase: float, side: int) -> list[Point]:
    """Hip, knee, ankle, heel and toe, from the middle of the pelvis; ``side`` 1 is left."""
    turn = phase if side == 1 else phase + math.pi
    long = person.legs * person.height
    thigh = 0.05 + person.stride * math.sin(turn)
    bend = 0.10 + person.knees * max(0.0, math.cos(turn + 0.45)) ** 2
    shin = thigh - bend
    foot = 0.55 * shin
    hip = (0.0, side * 0.043 * person.hips, 0.0)
    knee = add(hip, hanging(THIGH * long, thigh))
    ankle = add(add(knee, hanging(SHIN * long, shin)), (0.0, -side * 0.008, 0.0))
    down = ANKLE - SOLE
    heel = add(ankle, (-0.02 + down * math.sin(foot), 0.0, -down * math.cos(foot)))
    toe = add(heel, (0.105 * math.cos(foot), side * 0.018, 0.105 * math.sin(foot)))
    return [hip, knee, ankle, heel, toe]


def _leg_parts(person: Person, joints: list[Point], side: int) -> Iterator[Part]:
    hip, knee, ankle, heel, toe = joints
    wide = person.build**0.7
    loose = {"wide": 1.3, "trousers": 1.05, "coat": 1.05}.get(person.cut, 0.95)
    dressed = person.cut in ("trousers", "wide", "coat")
    cloth = _clothes(person)[side]
    thigh = (0.056 * wide * loose, 0.045 * wide * loose)
    low = 0.042 if person.cut == "wide" else 0.029
    thigh_look = person.skin if person.cut in ("skirt", "long skirt") else cloth
    yield Part(knee, mix(hip, knee, 0.08), thigh[::-1], thigh[::-1], thigh_look)
    calf = (low * wide, thigh[1] * 0.93)
    yield Part(ankle, knee, calf, calf, cloth if dressed else person.skin)
    if person.boots:
        shaft = mix(knee, ankle, 0.45)
        yield Part(shaft, ankle, (0.04, 0.034), (0.04, 0.036), person.shoes, caps=(0.2, 1.0))
    yield Part(heel, toe, (0.028, 0.028), (0.026, 0.021), person.shoes)


@lru_cache(maxsize=64)
def _clothes(person: Person) -> dict[str | int, np.ndarray]:
    """Textures by what they cover; the legs by side."""
    legs = {side: leg_texture(person, side) for side in (1, -1)}
    return {"torso": torso_texture(person), "face": face_texture(person)} | legs


def _trunk_parts(person: Person, hip: Point) -> Iterator[Part]:
    """Pelvis, torso and whatever hangs from the waist."""
    tall, wide = person.height, person.build
    waist = add(hip, (0.0, 0.0, 0.075 * tall))
    hips = 0.084 * person.hips * wide
    yield Part(
        add(hip, (0.0, 0.0, -0.012)),
        waist,
        (hips, hips * 0.95),
        (0.066 * wide,) * 2,
        person.lower,
        (0.5, 0.3),
    )
    skirt = {"skirt": 0.19, "long skirt": 0.40, "coat": 0.24}.get(person.cut)
    if skirt:
        hem = add(hip, (0.015, 0.0, -skirt * person.legs * tall))
        flare = 1.35 + 0.6 * skirt
        look = person.upper if person.cut == "coat" else person.lower
        deep = (0.075 * flare * wide**0.5 + 0.13 * person.stride, 0.076 * wide)
        yield Part(hem, waist, (hips * flare, hips * 1.06), deep, look, (0.06, 0.2))
    top = add(hip, (0.29 * math.sin(person.lean), 0.0, 0.268 * tall))
    chest = 0.1 * person.shoulders * wide**0.5
    yield Part(
        add(hip, (0.0, 0.0, -0.005)),
        top,
        (max(hips * 1.14, 0.088 * wide), chest),
        (0.086 * wide, 0.064 * wide**0.5),
        _clothes(person)["torso"],
        (0.05, 0.5),
    )


def _arm_parts(person: Person, chest: Point, phase: float, side: int) -> Iterator[Part]:
    turn = phase + math.pi if side == 1 else phase  # against the leg of its side
    swing = person.arms * math.sin(turn)
    bend = person.elbows + 0.5 * person.arms * max(0.0, math.sin(turn))
    out = side * (0.02 + 0.03 * person.build)
    wide = person.build**0.6
    shoulder = add(
        chest,
        (
            0.05 * person.arms * math.sin(turn),
            side * 0.09 * person.shoulders * person.build**0.5,
            -0.036,
        ),
    )
    elbow = add(add(shoulder, hanging(UPPER_ARM, swing)), (0.0, out, 0.0))
    wrist = add(add(elbow, hanging(FOREARM, swing + bend)), (0.0, -out * 0.3, 0.0))
    hand = add(wrist, hanging(0.035, swing + bend))
    sleeve = person.accent if person.pattern in ("half", "yoke") else person.upper
    upper_look = person.skin if person.sleeves == "none" else sleeve
    fore_look = sleeve if person.sleeves == "long" else person.skin
    r = 0.034 * wide * (1.1 if person.sleeves == "long" else 1.0)
    if person.sleeves == "short":
        middle = mix(shoulder, elbow, 0.72)
        yield Part(shoulder, middle, (r * 1.12, r * 1.08), (r * 1.12, r * 1.08), sleeve, (1.0, 0.1))
        upper_look = person.skin
    yield Part(shoulder, elbow, (r, r * 0.82), (r, r * 0.82), upper_look)
    yield Part(elbow, wrist, (r * 0.82, r * 0.62), (r * 0.82, r * 0.62), fore_look)
    yield Part(wrist, hand, (0.021, 0.019), (0.021, 0.017), person.skin)
    if person.bag == "hand bag" and side == -1:
        low = add(hand, (0.0, 0.0, -0.13))
        yield Part(
            low,
            add(low, (0.0, 0.0, 0.07)),
            (0.03, 0.026),
            (0.075, 0.062),
            person.bag_colour,
            (0.15, 0.15),
        )
        yield Part(
            add(low, (0.0, 0.0, 0.07)), hand, (0.008, 0.008), (0.03, 0.008), person.bag_colour
        )


def _head_parts(person: Person, head: Point) -> Iterator[Part]:
    yield Part(
        add(head, (0.004, 0, -0.018)),
        add(head, (0, 0, 0.02)),
        (0.043, 0.049),
        (0.047, 0.056),
        _clothes(person)["face"],
    )
    yield from _hair_parts(person, head)
    crown = add(head, (-0.004, 0, 0.03))
    size = ((0.057, 0.05), (0.064, 0.056))
    if person.hat == "beanie":
        yield Part(crown, add(crown, (0, 0, 0.028)), *size, person.hat_colour, (0.15, 1.0))
    if person.hat == "cap":
        yield Part(crown, add(crown, (0, 0, 0.016)), *size, person.hat_colour, (0.1, 0.9))
        peak = add(crown, (0.06, 0, 0.002))
        yield Part(
            peak,
            add(peak, (0, 0, 0.008)),
            (0.046, 0.046),
            (0.056, 0.056),
            person.hat_colour,
            (0.1, 0.1),
        )
    if person.hat == "brim":
        yield Part(crown, add(crown, (0, 0, 0.034)), *size, person.hat_colour, (0.1, 0.4))
        yield Part(
            crown,
            add(crown, (0, 0, 0.008)),
            (0.086, 0.086),
            (0.09, 0.09),
            person.hat_colour,
            (0.1, 0.1),
        )


def _hair_parts(person: Person, head: Point) -> Iterator[Part]:
    style, hair = person.hairstyle, person.hair

    def lock(
        start: Point, end: Point, width: tuple[float, float], thick: tuple[float, float]
    ) -> Part:
        return Part(add(head, start), add(head, end), width, thick, hair)

    if style == "bald":
        return
    yield lock((-0.012, 0, 0.012), (-0.010, 0, 0.028), (0.052, 0.051), (0.056, 0.056))
    if style == "bob":
        yield lock((-0.034, 0, -0.045), (-0.024, 0, 0.015), (0.060, 0.056), (0.034, 0.044))
    if style == "long":
        yield lock((-0.058, 0, -0.15), (-0.028, 0, 0.01), (0.06, 0.056), (0.024, 0.042))
    if style == "ponytail":
        yield lock((-0.095, 0, -0.13), (-0.062, 0, 0.03), (0.016, 0.024), (0.016, 0.024))
    if style == "bun":
        yield lock((-0.035, 0, 0.074), (-0.035, 0, 0.078), (0.03, 0.03), (0.03, 0.03))
    if style == "afro" and person.hat == "none":
        yield lock((-0.022, 0, 0.01), (-0.02, 0, 0.035), (0.082, 0.08), (0.075, 0.07))


def _bag_parts(person: Person, hip: Point) -> Iterator[Part]:
    tall, deep = person.height, 0.066 * person.build
    if person.bag == "backpack":
        low = add(hip, (-deep - 0.035, 0, 0.065 * tall))
        high = add(hip, (-deep - 0.03 + 0.25 * math.sin(person.lean), 0, 0.245 * tall))
        yield Part(low, high, (0.083, 0.07), (0.058, 0.045), person.bag_colour, (0.25, 0.45))
        pocket = add(low, (-0.035, 0, 0.01))
        yield Part(
            pocket,
            add(pocket, (0, 0, 0.06)),
            (0.06, 0.058),
            (0.035, 0.03),
            person.bag_colour,
            (0.2, 0.3),
            0.8,
        )
    if person.bag == "shoulder bag":
        side = -0.09 * person.hips * person.build - 0.03
        low = add(hip, (0.01, side, -0.07))
        yield Part(
            low,
            add(low, (0, 0, 0.09)),
            (0.033, 0.03),
            (0.085, 0.08),
            person.bag_colour,
            (0.15, 0.15),
        )
