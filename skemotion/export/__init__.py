"""Fitted pipelines as ONNX, to be run where TensorFlow is not."""

from skemotion.export._export import ExportReport, export_onnx

__all__ = ["ExportReport", "export_onnx"]
