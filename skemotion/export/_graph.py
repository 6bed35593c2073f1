"""A graph of ONNX, put together call by call."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

OLDEST_OPSET = 18  # the first whose reductions are told their axes by a tensor
_SMALL = 4096  # numbers of a constant that is looked for among those before


class Graph:
    """Nodes, constants, inputs and outputs, each known by the name of its tensor.

    Parameters
    ----------
    opset : int, default=OLDEST_OPSET
        Version of the operators.
    """

    def __init__(self, opset: int = OLDEST_OPSET):
        self._opset = opset
        self._nodes: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._constants: dict[str, NDArray] = {}

    def add_input(self, name: str, dtype: Any, shape: tuple) -> str:
        """Add an input; lengths of its shape may be names."""
        self._inputs.append(_describe_tensor(name, dtype, shape))
        return name

    def add_output(self, tensor: str, name: str, dtype: Any, shape: tuple) -> None:
        """Give a tensor out under a name."""
        self._nodes.append(_helper().make_node("Identity", [tensor], [name]))
        self._outputs.append(_describe_tensor(name, dtype, shape))

    def constant(self, value: Any, dtype: Any) -> str:
        """Add an array, or find it if it is small and was added before."""
        array = np.array(value, dtype=dtype, order="C")
        if array.size <= _SMALL:
            for name, other in self._constants.items():
                if (array.dtype, array.shape) == (other.dtype, other.shape) and (
                    array == other
                ).all():
                    return name
        name = f"constant_{len(self._constants)}"
        self._constants[name] = array
        return name

    def call(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node; return the name of the tensor that it puts out."""
        return self.call_for(1, operator, *inputs, **attributes)[0]

    def call_for(
        self, n_outputs: int, operator: str, *inputs: str, **attributes: Any
    ) -> list[str]:
        """Add a node that puts out several tensors; return their names."""
        number = len(self._nodes)
        outputs = [f"{operator}_{number}_{i}" for i in range(n_outputs)]
        node = _helper().make_node(operator, inputs, outputs, **attributes)
        self._nodes.append(node)
        return outputs

    def cast(self, tensor: str, dtype: Any) -> str:
        """Change the type of a tensor."""
        return self.call("Cast", tensor, to=_tensor_type(dtype))

    def to_model(self, metadata: dict[str, str]) -> Any:
        """Return the graph as an onnx.ModelProto, checked."""
        from onnx import checker, numpy_helper

        helper = _helper()
        graph = helper.make_graph(
            self._nodes,
            "skemotion",
            self._inputs,
            self._outputs,
            [numpy_helper.from_array(a, name) for name, a in self._constants.items()],
        )
        model = helper.make_model_gen_version(
            graph,
            opset_imports=[helper.make_opsetid("", self._opset)],
            producer_name="skemotion",
        )
        helper.set_model_props(model, metadata)
        checker.check_model(model)
        return model


def _describe_tensor(name, dtype, shape):
    return _helper().make_tensor_value_info(name, _tensor_type(dtype), shape)


def _tensor_type(dtype):
    return _helper().np_dtype_to_tensor_dtype(np.dtype(dtype))


def _helper():
    from onnx import helper

    return helper
