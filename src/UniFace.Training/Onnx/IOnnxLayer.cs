namespace UniFace.Training.Onnx;

/// <summary>Emits itself as ONNX nodes, as it works in evaluation mode. Backbones implement it to be exportable.</summary>
public interface IOnnxLayer
{
    /// <summary>Adds its nodes and weights to a graph.</summary>
    /// <param name="graph">Receives the nodes in execution order.</param>
    /// <param name="input">Name of the input value.</param>
    /// <returns>Name of the output value.</returns>
    string Emit(OnnxGraph graph, string input);
}
