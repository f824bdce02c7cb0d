using UniFace.Training.Distributed;
using UniFace.Training.Runs;

namespace UniFace.Benchmarks;

/// <summary>Memory of class centers and their momentum, which must fit into the machine before they are timed.</summary>
internal static class CenterMemory
{
    // Bytes left for everything else.
    private const long Spare = 1L << 30;

    /// <summary>The name of a type on the command line.</summary>
    public static string Name(CenterType type) => type == CenterType.Float32 ? "float32" : "bfloat16";

    /// <summary>Bytes of the centers and the momentum of a number of classes.</summary>
    public static long Bytes(long classes, int size, CenterType type) => classes * size * 2 * (type == CenterType.Float32 ? sizeof(float) : sizeof(ushort));

    /// <summary>True if the machine has that much memory and enough for everything else.</summary>
    public static bool Fits(long bytes) => bytes + Spare <= GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>The bytes of this rank.</summary>
    /// <param name="classes">C.</param>
    /// <param name="size">D.</param>
    /// <param name="type">How centers and momentum are stored.</param>
    /// <param name="communicator">The ranks over which they are sharded.</param>
    /// <exception cref="UniFaceException">The ranks of this machine need more than its memory.</exception>
    public static long Require(int classes, int size, CenterType type, ICommunicator communicator)
    {
        long bytes = Bytes(ShardRange.Of(classes, communicator.Rank, communicator.Size).Count, size, type);
        if (Fits(bytes * MpiJob.LocalSize))
        {
            return bytes;
        }

        string remedy = type == CenterType.Float32 ? " or --center-dtype bfloat16" : "";
        throw new UniFaceException(FormattableString.Invariant(
            $"{classes} classes take {bytes / 1e9:F1} GB of centers and momentum as {Name(type)}, but this machine has ") +
            FormattableString.Invariant($"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9:F1} GB; use fewer classes{remedy}."));
    }
}
