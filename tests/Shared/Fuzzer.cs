using System.Buffers.Binary;
using CsCheck;

namespace UniFace.TestSupport;

/// <summary>
/// Mutates valid files and gives them to a reader. The reader must accept the file or throw <see cref="UniFaceException"/>; any other
/// exception, or memory above the limit, fails the test with the seed. Runs for a second in the test suite, for UNIFACE_FUZZ_SECONDS per
/// target in tests/fuzz.sh.
/// </summary>
internal static class Fuzzer
{
    private const double SecondsInSuite = 0.4;

    private static readonly int[] Interesting = [0, 1, -1, 127, 128, 255, 256, 32767, 65535, 65536, 1 << 20, 1 << 29, int.MaxValue, int.MinValue];

    /// <summary>Fuzzes a reader.</summary>
    /// <param name="seeds">Valid files.</param>
    /// <param name="read">Reads a file.</param>
    /// <param name="allowed">Bytes of managed memory that one reading may take.</param>
    public static void Run(IReadOnlyList<byte[]> seeds, Action<byte[]> read, long allowed = 64L << 20)
    {
        foreach (byte[] seed in seeds)
        {
            read(seed); // a valid file is accepted
        }

        double seconds = double.TryParse(
            Environment.GetEnvironmentVariable("UNIFACE_FUZZ_SECONDS"),
            System.Globalization.CultureInfo.InvariantCulture,
            out double asked) ? asked : SecondsInSuite;
        DateTime end = DateTime.UtcNow.AddSeconds(seconds);
        Gen<byte[]> damaged = Gen.Select(Gen.Int[0, seeds.Count - 1], Gen.Select(
            Gen.Int[0, 7], Gen.Double[0, 1], Gen.Double[0, 1], Gen.Int).Array[1, 6], (seed, changes) =>
        {
            byte[] bytes = [.. seeds[seed]];
            foreach ((int kind, double where, double length, int value) in changes)
            {
                bytes = Change(bytes, kind, where, length, value);
            }

            return bytes;
        });
        while (DateTime.UtcNow < end)
        {
            damaged.Sample(
                bytes => Try(bytes, read, allowed),
                iter: 20,
                threads: 1,
                print: bytes => $"{bytes.Length} bytes: {Convert.ToBase64String(bytes.AsSpan(0, Math.Min(bytes.Length, 3000)))}");
        }
    }

    private static void Try(byte[] bytes, Action<byte[]> read, long allowed)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            read(bytes);
        }
        catch (UniFaceException e)
        {
            Assert.InRange(e.Message.Length, 10, 2000);
        }

        long taken = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(taken <= allowed, $"{bytes.Length} bytes took {taken} bytes of memory");
    }

    private static byte[] Change(byte[] bytes, int kind, double where, double length, int value)
    {
        if (bytes.Length == 0)
        {
            return [(byte)value];
        }

        int at = Math.Min((int)(where * bytes.Length), bytes.Length - 1);
        int count = Math.Min((int)(length * length * 64) + 1, bytes.Length - at);
        switch (kind)
        {
            case 0:
                bytes[at] ^= (byte)(1 << (value & 7));
                return bytes;
            case 1:
                bytes[at] = (byte)value;
                return bytes;
            case 2:
                return bytes[..at];
            case 3:
                return [.. bytes.AsSpan(0, at), .. bytes.AsSpan(at + count)];
            case 4:
                return [.. bytes.AsSpan(0, at), .. bytes.AsSpan(at, count), .. bytes.AsSpan(at)];
            case 5:
                return [.. bytes.AsSpan(0, at), .. Enumerable.Repeat((byte)value, count), .. bytes.AsSpan(at)];
            default:
                byte[] number = new byte[4];
                int picked = Interesting[(value & int.MaxValue) % Interesting.Length];
                if (kind == 6)
                {
                    BinaryPrimitives.WriteInt32LittleEndian(number, picked);
                }
                else
                {
                    BinaryPrimitives.WriteInt32BigEndian(number, picked);
                }

                number.AsSpan(0, Math.Min(4, bytes.Length - at)).CopyTo(bytes.AsSpan(at));
                return bytes;
        }
    }
}
