using System.Numerics;

namespace UniFace.Training.Head.Centers;

/// <summary>
/// Rounds float32 to bfloat16 up or down, with probabilities such that the expected result is the exact value: an update smaller than
/// half a step of bfloat16, which rounding to nearest would always lose, changes the value occasionally.
/// The draw for an element is a hash of the seed and its position, so the result does not depend on the number of threads.
/// </summary>
internal static class StochasticRounding
{
    /// <summary>Rounds the bits of finite float32 values.</summary>
    public static void Round(ReadOnlySpan<uint> from, Span<ushort> to, uint seed)
    {
        int lanes = Vector<uint>.Count;
        int i = 0;
        for (; i <= from.Length - (2 * lanes); i += 2 * lanes)
        {
            Vector<uint> low = Round(new Vector<uint>(from[i..]), seed, i);
            Vector<uint> high = Round(new Vector<uint>(from[(i + lanes)..]), seed, i + lanes);
            Vector.Narrow(low, high).CopyTo(to[i..]);
        }

        for (; i < from.Length; i++)
        {
            to[i] = (ushort)Round(new Vector<uint>(from[i]), seed, i)[0];
        }
    }

    private static Vector<uint> Round(Vector<uint> bits, uint seed, int position)
    {
        Vector<uint> x = Vector<uint>.Indices + new Vector<uint>(unchecked(seed + (uint)position));
        x ^= Vector.ShiftRightLogical(x, 16);
        x *= new Vector<uint>(0x7FEB352D);
        x ^= Vector.ShiftRightLogical(x, 15);
        x *= new Vector<uint>(0x846CA68B);
        x ^= Vector.ShiftRightLogical(x, 16);
        return Vector.ShiftRightLogical(bits + (x & new Vector<uint>(0xFFFF)), 16);
    }
}
