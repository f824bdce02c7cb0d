using Google.Protobuf;
using UniFace.Onnx.Schema;

namespace UniFace.Training.Onnx;

/// <summary>
/// The weights of an ONNX file, node by node in the order of the file, which is that of the layers. Layers read theirs with <see cref="Next"/>;
/// the operators and shapes must be those of the layers. The file is untrusted.
/// </summary>
internal sealed class OnnxWeights
{
    private const int FloatType = (int)TensorProto.Types.DataType.Float;
    private readonly string path;
    private readonly Queue<NodeProto> nodes;
    private readonly Dictionary<string, TensorProto> initializers;
    private readonly List<(string Name, nint Address)> read = [];

    private OnnxWeights(string path, ModelProto model)
    {
        this.path = path;
        Graph = model.Graph.Name;
        Backbone = model.MetadataProps.FirstOrDefault(p => p.Key == "backbone")?.Value;
        initializers = model.Graph.Initializer.GroupBy(i => i.Name).ToDictionary(g => g.Key, g => g.First());
        nodes = new Queue<NodeProto>(model.Graph.Node.Where(node => node.OpType is "Conv" or "Gemm" or "PRelu" or "BatchNormalization"));
    }

    /// <summary>Name of the graph.</summary>
    public string Graph { get; }

    /// <summary>The backbone as the exporter wrote it, or null.</summary>
    public string? Backbone { get; }

    /// <summary>The operators with weights that are left, in their order.</summary>
    public IReadOnlyList<string> Operations => [.. nodes.Select(node => node.OpType)];

    /// <summary>The initializers read, and the address of the memory that received each.</summary>
    public IReadOnlyList<(string Name, nint Address)> Read => read;

    /// <summary>Opens a file.</summary>
    /// <exception cref="UniFaceException">It is not an ONNX file.</exception>
    public static OnnxWeights Open(string path)
    {
        try
        {
            ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
            return model.Graph is null ? throw new UniFaceException($"{path} is an ONNX file without a graph.") : new OnnxWeights(path, model);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new UniFaceException($"{path} is not an ONNX file: {e.Message}", e);
        }
    }

    /// <summary>The shape of an operator's weights, or an empty one.</summary>
    /// <param name="index">Its place in <see cref="Operations"/>.</param>
    public IReadOnlyList<long> Shape(Index index) =>
        nodes.ToArray()[index].Input is [_, string name, ..] && initializers.TryGetValue(name, out TensorProto? tensor) ? [.. tensor.Dims] : [];

    /// <summary>Copies the weights of the next node that has any.</summary>
    /// <param name="operation">What the node must be. A convolution over the whole map is a Gemm too.</param>
    /// <param name="targets">Receive its inputs after the data, in their order; those that the node leaves out become 0.</param>
    /// <exception cref="UniFaceException">The node is another one, or its weights have other shapes.</exception>
    public void Next(string operation, params ReadOnlySpan<Tensor> targets)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable none = no_grad();
        if (!nodes.TryDequeue(out NodeProto? node) || (node.OpType != operation && !(operation == "Gemm" && node.OpType == "Conv")))
        {
            throw Mismatch($"expected {operation}, found {(node is null ? "the end" : $"{node.OpType} {node.Name}")}");
        }

        bool transpose = node.OpType == "Gemm" && !node.Attribute.Any(a => a.Name == "transB" && a.I == 1);
        for (int i = 0; i < targets.Length; i++)
        {
            if (i + 1 >= node.Input.Count)
            {
                targets[i].zero_();
                continue;
            }

            Copy(node, node.Input[i + 1], targets[i], transpose && i == 0);
        }
    }

    /// <summary>Checks that all weights have been read.</summary>
    /// <exception cref="UniFaceException">Some are left.</exception>
    public void End()
    {
        if (nodes.TryPeek(out NodeProto? node))
        {
            throw Mismatch($"{node.OpType} {node.Name} belongs to no layer of the network");
        }
    }

    private void Copy(NodeProto node, string name, Tensor target, bool transpose)
    {
        if (!initializers.TryGetValue(name, out TensorProto? tensor) || tensor.DataType != FloatType)
        {
            throw Mismatch($"{name} of {node.OpType} {node.Name} is not stored as float32 (int8 weights cannot be trained: export float weights)");
        }

        long[] shape = transpose ? [.. target.shape.Reverse()] : target.shape;
        long[] stored = node.OpType == "Conv" && shape.Length == 2 && tensor.Dims.Count == 4
            ? [tensor.Dims[0], tensor.Dims[1] * tensor.Dims[2] * tensor.Dims[3]]
            : [.. tensor.Dims];
        float[] values = Values(tensor);
        if (!stored.SequenceEqual(shape) || values.LongLength != target.numel())
        {
            throw Mismatch($"{name} is {string.Join('x', stored)} with {values.Length} values, expected {string.Join('x', shape)}");
        }

        if (Array.Exists(values, v => !float.IsFinite(v)))
        {
            throw Mismatch($"{name} has values that are not finite");
        }

        Tensor source = torch.tensor(values).view(shape);
        target.copy_(transpose ? source.t() : source);
        read.Add((name, TensorMemory.Address(target)));
    }

    private static float[] Values(TensorProto tensor) => tensor.RawData.IsEmpty
        ? [.. tensor.FloatData]
        : MemoryMarshal.Cast<byte, float>(tensor.RawData.Span[..(tensor.RawData.Length / sizeof(float) * sizeof(float))]).ToArray();

    private UniFaceException Mismatch(string what) => new($"{path}: the weights do not fit the network: {what}.");
}
