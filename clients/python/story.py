"""The whole job of a system user, told by the official Python SDK.

    python story.py --demo valetkey-data/demo/demo.json [--only TEXT] [--list]

Prints one line for each check and `N passed, N failed` at the end; the exit
code is 1 if anything failed and 2 if the demo file can't be used.
"""

import argparse
import json
import sys
import warnings

import facebook_business  # noqa: F401  (fails early, with a clear name)
from facebook_business.apiconfig import ads_api_config

import harness

# Each of these registers its scenes; the main story comes first.
import scenes_users  # noqa: F401
import scenes_tokens  # noqa: F401
import scenes_content  # noqa: F401
import scenes_refusals  # noqa: F401
import scenes_adapters  # noqa: F401

SDK_WANTED = "v26.0.3"


def read_demo(path):
    """The demo's file, or a sentence about what is wrong with it."""
    try:
        with open(path, encoding="utf-8") as file:
            demo = json.load(file)
    except OSError as error:
        raise SystemExit(f"can't read {path}: {error.strerror}; is the demo running?")
    except ValueError as error:
        raise SystemExit(f"{path} is not JSON: {error}")
    try:
        return harness.World(demo)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise SystemExit(f"{path} is no demo.json: {type(error).__name__} {error}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--demo", required=True, metavar="PATH", help="the demo.json of a running server")
    parser.add_argument("--only", metavar="TEXT", help="only scenes whose title contains TEXT")
    parser.add_argument("--list", action="store_true", help="print the scenes and end")
    args = parser.parse_args()
    scenes = [pair for pair in harness.SCENES if not args.only or args.only in pair[0]]
    if args.list:
        for title, _ in scenes:
            print(title)
        return 0
    if not scenes:
        print(f"no scene's title contains {args.only!r}; see --list", file=sys.stderr)
        return 2
    try:
        world = read_demo(args.demo)
    except SystemExit as error:
        print(error, file=sys.stderr)
        return 2
    # The SDK warns about parameters that its tables lack; ours are meant.
    warnings.simplefilter("ignore")
    print(f"# facebook_business {ads_api_config['SDK_VERSION']}, {harness.VERSION}, {world.base}")
    with world.step("the SDK is the pinned one"):
        harness.same("SDK version", ads_api_config["SDK_VERSION"], SDK_WANTED)
    if not world.reachable():
        return world.finish()
    for title, function in scenes:
        world.play(title, function)
    return world.end()


if __name__ == "__main__":
    sys.exit(main())
