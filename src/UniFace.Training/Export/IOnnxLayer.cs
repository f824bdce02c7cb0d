namespace UniFace.Training.Export;

/// <summary>What can say itself as ONNX nodes, as it works in eval mode. A backbone that is to be exported implements it.</summary>
public interface IOnnxLayer
{
    /// <summary>Adds its nodes and weights to a graph.</summary>
    /// <param name="graph">Receives the nodes, in the order they run.</param>
    /// <param name="input">Name of the value that it works on.</param>
    /// <returns>Name of the value that it gives.</returns>
    string Emit(OnnxGraph graph, string input);
}
