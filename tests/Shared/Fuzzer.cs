using System.Buffers.Binary;
using System.Globalization;
using CsCheck;

namespace UniFace.TestSupport;

/// <summary>
/// Changes valid files at random and passes them to a reader, which must read them or refuse them with a <see cref="UniFaceException"/>. Any
/// other exception, or memory above a limit, fails the test and prints the file. The suite tries the same files in every run; tests/fuzz.sh
/// tries other ones, for UNIFACE_FUZZ_SECONDS per target.
/// </summary>
internal static class Fuzzer
{
    private const int FilesInSuite = 500;

    private static readonly int[] Interesting = [0, 1, -1, 127, 128, 255, 256, 32767, 65535, 65536, 1 << 20, 1 << 29, int.MaxValue, int.MinValue];

    /// <summary>Fuzzes a reader.</summary>
    /// <param name="seeds">Valid files.</param>
    /// <param name="read">Reads a file.</param>
    /// <param name="allowed">Maximum number of bytes of managed memory to allocate per file.</param>
    /// <param name="files">Number of files that the suite tries.</param>
    public static void Run(IReadOnlyList<byte[]> seeds, Action<byte[]> read, long allowed = 64L << 20, int files = FilesInSuite)
    {
        if (Environment.GetEnvironmentVariable("UNIFACE_FUZZ_COUNT") is { Length: > 0 } list)
        {
            // tests/fuzz.sh counts the targets, to share its time among them, and then runs these methods.
            File.AppendAllText(list, $"{TestContext.Current.TestClass!.TestClassName}.{TestContext.Current.TestMethod!.MethodName}\n");
            return;
        }

        foreach (byte[] seed in seeds)
        {
            read(seed); // A valid file is read.
        }

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
        if (double.TryParse(Environment.GetEnvironmentVariable("UNIFACE_FUZZ_SECONDS"), CultureInfo.InvariantCulture, out double seconds))
        {
            for (DateTime end = DateTime.UtcNow.AddSeconds(seconds); DateTime.UtcNow < end;)
            {
                damaged.Sample(bytes => Try(bytes, read, allowed), iter: 20, threads: 1, print: Print);
            }

            return;
        }

        PCG random = new(1, 1);
        for (int i = 0; i < files; i++)
        {
            byte[] bytes = damaged.Generate(random, null, out _);
            string file = Print(bytes); // before it is read, which may change it
            Exception? e = Record.Exception(() => Try(bytes, read, allowed));
            Assert.True(e is null, $"file {i}, {file}: {e}");
        }
    }

    private static string Print(byte[] bytes) => $"{bytes.Length} bytes: {Convert.ToBase64String(bytes.AsSpan(0, Math.Min(bytes.Length, 3000)))}";

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

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated <= allowed, $"{bytes.Length} bytes took {allocated} bytes of memory");
    }

    private static byte[] Change(byte[] bytes, int kind, double where, double length, int value)
    {
        if (bytes.Length == 0)
        {
            return [(byte)value];
        }

        int offset = Math.Min((int)(where * bytes.Length), bytes.Length - 1);
        int count = Math.Min((int)(length * length * 64) + 1, bytes.Length - offset);
        switch (kind)
        {
            case 0:
                bytes[offset] ^= (byte)(1 << (value & 7));
                return bytes;
            case 1:
                bytes[offset] = (byte)value;
                return bytes;
            case 2:
                return bytes[..offset];
            case 3:
                return [.. bytes.AsSpan(0, offset), .. bytes.AsSpan(offset + count)];
            case 4:
                return [.. bytes.AsSpan(0, offset), .. bytes.AsSpan(offset, count), .. bytes.AsSpan(offset)];
            case 5:
                return [.. bytes.AsSpan(0, offset), .. Enumerable.Repeat((byte)value, count), .. bytes.AsSpan(offset)];
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

                number.AsSpan(0, Math.Min(4, bytes.Length - offset)).CopyTo(bytes.AsSpan(offset));
                return bytes;
        }
    }
}
