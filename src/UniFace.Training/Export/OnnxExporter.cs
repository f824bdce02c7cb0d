using Google.Protobuf;
using UniFace.Onnx.Schema;

namespace UniFace.Training.Export;

/// <summary>
/// Writes a backbone as an ONNX file (operator set 17, IR version 8: ONNX Runtime 1.12 or newer). Input "input", float32
/// [batch, 3, S, S]; output "embedding", float32 [batch, D], not normalized; the batch size is free. Batch norms are folded into the
/// convolution or matrix product before them where that is exact. The same weights give the same bytes.
/// </summary>
internal static class OnnxExporter
{
    /// <summary>Name of the input.</summary>
    public const string InputName = "input";

    /// <summary>Name of the output.</summary>
    public const string OutputName = "embedding";

    // The IR version introduced with operator set 17.
    private const int IrVersion = 8;

    /// <summary>Writes a backbone to a file as it works in evaluation mode; an existing file is replaced atomically.</summary>
    /// <param name="backbone">On any device, in any mode; not changed.</param>
    /// <param name="path">The ONNX file.</param>
    /// <exception cref="UniFaceException">The backbone does not implement <see cref="IOnnxLayer"/>.</exception>
    public static void Write(Backbone backbone, string path) => AtomicFile.Write(path, Build(backbone).WriteTo);

    /// <summary>The backbone as an ONNX model.</summary>
    internal static ModelProto Build(Backbone backbone)
    {
        ArgumentNullException.ThrowIfNull(backbone);
        if (backbone is not IOnnxLayer layer)
        {
            throw new UniFaceException(
                $"Backbone {backbone.Spec.Name} cannot be exported: {backbone.GetType().Name} does not implement {nameof(IOnnxLayer)}.");
        }

        OnnxGraph graph = new();
        string value = layer.Emit(graph, InputName);
        long[] inputShape = [3, backbone.Input.Side, backbone.Input.Side];
        ModelProto model = new()
        {
            IrVersion = IrVersion,
            ProducerName = "UniFace",
            ProducerVersion = ToolVersion.Current,
            Graph = graph.Finish(backbone.Spec.Name, (InputName, inputShape), value, (OutputName, [backbone.Spec.EmbeddingSize])),
        };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = OnnxGraph.OpsetVersion });
        model.MetadataProps.Add(new StringStringEntryProto { Key = "producer", Value = $"UniFace {ToolVersion.Current}" });
        model.MetadataProps.Add(new StringStringEntryProto { Key = "backbone", Value = backbone.Spec.ToString() });
        return model;
    }
}
