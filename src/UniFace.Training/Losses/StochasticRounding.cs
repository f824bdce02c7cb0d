using System.Numerics;

namespace UniFace.Training.Losses;

/// <summary>
/// float32 to bfloat16, up or down with the probability of how near each is, so that the mean over many steps is the exact value:
/// an update smaller than half a step of bfloat16, which rounding to nearest would lose for ever, moves the value now and then.
/// The draw for an element is a hash of the seed and its place, so it is the same on any number of threads.
/// </summary>
internal static class StochasticRounding
{
    /// <summary>Rounds the bits of float32 values, which are finite.</summary>
    public static void Round(ReadOnlySpan<uint> from, Span<ushort> to, uint seed)
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
