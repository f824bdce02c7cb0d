using System.Numerics;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace UniFace.Training.Losses;

/// <summary>
/// float32 to bfloat16, up or down with the probability of how near each is, so that the mean over many steps is the exact value:
/// an update smaller than half a step of bfloat16, which rounding to nearest would lose for ever, moves the value now and then.
/// The draw for an element is a hash of the seed and its place, so it is the same on any number of threads.
/// </summary>
internal static class StochasticRounding
{
    private const int Chunk = 1 << 16;

    /// <summary>The rounded values; as many, of the same shape.</summary>
    /// <param name="values">Contiguous float32 on the CPU, finite.</param>
    /// <param name="seed">Seed of the draws.</param>
    public static Tensor ToBFloat16(Tensor values, ulong seed)
    {
        Tensor rounded = empty(values.shape, dtype: ScalarType.BFloat16, device: CPU);
        int chunks = (int)((values.numel() + Chunk - 1) / Chunk);
        Parallel.For(0, chunks, c =>
        {
            Span<uint> from = MemoryMarshal.Cast<byte, uint>(values.bytes);
            Span<ushort> to = MemoryMarshal.Cast<byte, ushort>(rounded.bytes);
            int start = c * Chunk;
            int length = Math.Min(Chunk, from.Length - start);
            Round(from.Slice(start, length), to.Slice(start, length), unchecked((uint)(seed ^ (seed >> 32)) + (uint)start));
        });
        return rounded;
    }

    /// <summary>Rounds the bits of float32 values.</summary>
    internal static void Round(ReadOnlySpan<uint> from, Span<ushort> to, uint seed)
    {
        int lanes = Vector<uint>.Count;
        int i = 0;
        for (; i <= from.Length - (2 * lanes); i += 2 * lanes)
        {
            Vector<uint> low = Add(new Vector<uint>(from[i..]), Places(seed, i));
            Vector<uint> high = Add(new Vector<uint>(from[(i + lanes)..]), Places(seed, i + lanes));
            Vector.Narrow(low, high).CopyTo(to[i..]);
        }

        for (; i < from.Length; i++)
        {
            to[i] = (ushort)((from[i] + (Hash(unchecked(seed + (uint)i)) & 0xFFFF)) >> 16);
        }
    }

    private static Vector<uint> Places(uint seed, int at) => Vector<uint>.Indices + new Vector<uint>(unchecked(seed + (uint)at));

    private static Vector<uint> Add(Vector<uint> bits, Vector<uint> places)
    {
        Vector<uint> x = places;
        x ^= Vector.ShiftRightLogical(x, 16);
        x *= new Vector<uint>(0x7FEB352D);
        x ^= Vector.ShiftRightLogical(x, 15);
        x *= new Vector<uint>(0x846CA68B);
        x ^= Vector.ShiftRightLogical(x, 16);
        return Vector.ShiftRightLogical(bits + (x & new Vector<uint>(0xFFFF)), 16);
    }

    private static uint Hash(uint x)
    {
        x ^= x >> 16;
        x *= 0x7FEB352D;
        x ^= x >> 15;
        x *= 0x846CA68B;
        return x ^ (x >> 16);
    }
}
