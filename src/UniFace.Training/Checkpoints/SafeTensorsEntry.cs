using TorchSharp;

namespace UniFace.Training.Checkpoints;

/// <summary>One tensor of a safetensors file, as the file's header describes it.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its shape; empty for a scalar.</param>
/// <param name="Offset">First byte, counted from the end of the header.</param>
/// <param name="Bytes">Length in bytes.</param>
public sealed record SafeTensorsEntry(string Name, torch.ScalarType Type, IReadOnlyList<long> Shape, long Offset, long Bytes);
