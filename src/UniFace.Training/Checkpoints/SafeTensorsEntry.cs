namespace UniFace.Training.Checkpoints;

/// <summary>A tensor of a safetensors file, as its header describes it.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its shape; empty for a scalar.</param>
/// <param name="Offset">Offset of the first byte after the header.</param>
/// <param name="Bytes">Length in bytes.</param>
internal sealed record SafeTensorsEntry(string Name, ScalarType Type, IReadOnlyList<long> Shape, long Offset, long Bytes);
