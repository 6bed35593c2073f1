"""Arguments of ``skemotion export``."""

from skemotion.cli._options import CORPUS_HELP, add_map
from skemotion.cli._parser import add_command
from skemotion.cli._values import positive_int


def add(commands):
    """Add the command."""
    text = (
        "Write a trained model as ONNX, which ONNX Runtime runs in a small process "
        "without TensorFlow: by skemotion predict and timeline, as --model, or by "
        "skemotion.runtime. Both are compared before the file is kept. Needs pip "
        "install 'skemotion[onnx]'."
    )
    parser = add_command(commands, "export", text)
    parser.add_argument(
        "model", metavar="MODEL", help="as --model of skemotion predict takes it"
    )
    parser.add_argument(
        "-o",
        "--out",
        metavar="FILE",
        help="a file that ends in .onnx, or a folder for one named after the model "
        "(default: beside the model, where predict and timeline find it by "
        "themselves)",
    )
    parser.add_argument(
        "--compare",
        metavar="CORPUS",
        help="recordings on which both are compared, by unweighted average recall, "
        "too (default: some made speech). " + CORPUS_HELP,
    )
    parser.add_argument(
        "--int8",
        action="store_true",
        help="store weights in 8 bits: the file is smaller, and probabilities differ",
    )
    parser.add_argument(
        "--opset",
        type=positive_int,
        default=18,
        metavar="N",
        help="version of ONNX' operators (default: %(default)s)",
    )
    add_map(parser)
