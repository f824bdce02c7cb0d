using System.Text;
using CsCheck;
using UniFace.Data.Pairs;
using UniFace.Data.Pickle;

namespace UniFace.Tests.Data;

/// <summary>A pickle gives plain values only: it never calls anything, and memory is bounded by the size of the file.</summary>
public class PairBinTests
{
    public static TheoryData<string> GoodNames => [.. PickleFixtures.Good.Keys];

    public static TheoryData<string> EvilNames => [.. PickleFixtures.Evil.Keys];

    [Theory]
    [MemberData(nameof(GoodNames))]
    public void Pickles_written_by_Python_are_read_with_the_same_values(string name) => AssertPictures(Convert.FromBase64String(PickleFixtures.Good[name]));

    [Fact]
    public void Strings_of_Python_2_read_back_at_protocols_0_1_and_2()
    {
        // As Python 2's pickle writes str: quoted text, BINSTRING, SHORT_BINSTRING.
        byte[] quoted = [
            .. "(lp0\n"u8,
            .. Pictures().SelectMany((p, i) => Encoding.ASCII.GetBytes($"S'\\xff\\xd8\\x0{i}\\n\\'\\\\\\x00\\x8{i}'\np{i + 1}\na")),
            .. "(lp5\nI01\naI00\natp6\n."u8
        ];
        AssertPictures([(byte)'(', .. quoted]);
        byte[] octal = [
            .. "((l"u8, .. Pictures().SelectMany((p, i) => Encoding.ASCII.GetBytes($"S\"\\377\\330\\{i}\\n'\\134\\0\\20{i}\"\na")),
            .. "(lI01\naI00\nat."u8
        ];
        AssertPictures(octal);
        byte[] binary = [
            (byte)'(', (byte)']', (byte)'(', .. Pictures().SelectMany(p => new byte[] { (byte)'T', 8, 0, 0, 0 }.Concat(p)),
            .. "e](I01\nI00\net."u8
        ];
        AssertPictures(binary);
        byte[] shortBinary = [
            0x80, 2, (byte)']', (byte)'(',
            .. Pictures().SelectMany((p, i) => new byte[] { (byte)'U', 8 }.Concat(p).Concat(new[] { (byte)'q', (byte)i })), .. "e]("u8, 0x88,
            0x89, (byte)'e', 0x86, (byte)'.'
        ];
        AssertPictures(shortBinary);
    }

    [Fact]
    public void Long_lengths_are_read_at_protocol_4()
    {
        byte[] bytes8 = [
            0x80, 4, (byte)']', (byte)'(', .. Pictures().SelectMany(p => new byte[] { 0x8E, 8, 0, 0, 0, 0, 0, 0, 0 }.Concat(p)),
            .. "e](K\u0001K\0e"u8, 0x86, (byte)'.'
        ];
        AssertPictures(bytes8);
    }

    [Fact]
    public void An_object_that_Python_stored_once_is_read_at_both_places()
    {
        PairBin bin = PairBin.Parse("x.bin", Convert.FromBase64String(PickleFixtures.Shared));
        Assert.Equal([0, 0, 1, 1], bin.Images.Select(image => image.Span[2]));
    }

    [Theory]
    [MemberData(nameof(EvilNames))]
    public void A_pickle_that_calls_a_function_is_refused_with_its_name_and_offset(string name)
    {
        byte[] pickle = Convert.FromBase64String(PickleFixtures.Evil[name]);
        UniFaceException error = Assert.Throws<UniFaceException>(() => PairBin.Parse("x.bin", pickle));
        Assert.Contains("posix.system", error.Message, StringComparison.Ordinal);
        Assert.Contains("not executed", error.Message, StringComparison.Ordinal);
        Assert.Matches("^x.bin: at offset [0-9]+: ", error.Message);
    }

    [Theory]
    [InlineData("cbuiltins\neval\n(Vprint(1)\ntR.", "builtins.eval")]
    [InlineData("}.", "opcode 0x7d '}'")]
    [InlineData("c_codecs\nencode\n(Vabc\nVrot13\ntR.", "rot13")]
    [InlineData("c_codecs\ndecode\n.", "_codecs.decode")]
    [InlineData("ccollections\nOrderedDict\n.", "collections.OrderedDict")]
    [InlineData("(i__main__\nX\n.", "opcode 0x69 'i'")]
    [InlineData("Pabc\n.", "opcode 0x50 'P'")]
    [InlineData("(ltR.", "closes a list or tuple")]
    [InlineData("N.", "a pickle of None")]
    [InlineData("(lI01\nI00\n.", "3 values on its stack")]
    [InlineData("g5\n.", "reads value 5, which it did not store")]
    [InlineData("K", "truncated")]
    [InlineData("", "truncated")]
    [InlineData("\u0001\u0002", "opcode 0x01")]
    [InlineData("(I1\n0", "truncated")]
    [InlineData("(00.", "takes a value from an empty stack")]
    public void A_value_that_is_not_plain_data_is_refused_with_its_kind(string pickle, string says) =>
        Assert.Contains(
            says,
            Assert.Throws<UniFaceException>(() => PairBin.Parse("x.bin", Encoding.Latin1.GetBytes(pickle))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void An_array_that_is_not_of_uint8_is_named() =>
        Assert.Contains(
            "a NumPy array of f8, expected uint8",
            Assert.Throws<UniFaceException>(() => PairBin.Parse("x.bin", Convert.FromBase64String(PickleFixtures.FloatArray))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void There_is_one_answer_per_two_images()
    {
        Assert.Contains("3 images and 2 answers", Message("((lC\u0001aaC\u0001aaC\u0001aa(lI01\naI00\nat."), StringComparison.Ordinal);
        Assert.Contains(
            "answer 0 is a number",
            Message("((lC\u0001aaC\u0001aa(lcnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(Vi1\nI00\nI01\ntRC\u0001\u0007tRat."),
            StringComparison.Ordinal);
        Assert.Contains("answer 0 is a number", Message("((lC\u0001aaC\u0001aa(lI7\nat."), StringComparison.Ordinal);
        Assert.Contains("image 1 is None", Message("((lC\u0001aaNa(lI01\nat."), StringComparison.Ordinal);
        Assert.Contains("0 images and 0 answers", Message("((l(lt."), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(GoodNames))]
    public void A_pickle_truncated_anywhere_is_an_error(string name)
    {
        byte[] pickle = Convert.FromBase64String(PickleFixtures.Good[name]);
        for (int length = 0; length < pickle.Length; length++)
        {
            Assert.Throws<UniFaceException>(() => PairBin.Parse("x.bin", pickle[..length]));
        }
    }

    [Fact]
    public void Random_changes_give_an_error_or_a_valid_set_and_take_little_memory()
    {
        byte[][] good = [.. PickleFixtures.Good.Values.Select(Convert.FromBase64String)];
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Select(Gen.Int[0, 5000], Gen.Byte, Gen.Int[0, 2]).Array[1, 6]).Sample((which, changes) =>
        {
            List<byte> bytes = [.. good[which]];
            foreach ((int at, byte value, int kind) in changes)
            {
                int index = at % bytes.Count;
                switch (kind)
                {
                    case 0:
                        bytes[index] = value;
                        break;
                    case 1:
                        bytes.Insert(index, value);
                        break;
                    default:
                        bytes.RemoveAt(index);
                        break;
                }
            }

            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                PairBin bin = PairBin.Parse("x.bin", [.. bytes]);
                Assert.Equal(bin.Images.Count, 2 * bin.Same.Count);
            }
            catch (UniFaceException)
            {
                // Expected: the reader refuses a changed file.
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
        }, iter: 20_000);
    }

    [Fact]
    public void Random_opcodes_give_only_an_error() => Gen.OneOf(
        Gen.Byte,
        Gen.Int[0, 40].Select(i => (byte)".(0122INKMJLSUTCBVX]laet)bcRpqrghj"[i % 34]),
        Gen.Int[0x80, 0x98].Select(i => (byte)i)).Array[1, 60].Sample(bytes =>
        {
            try
            {
                PairBin.Parse("x.bin", bytes);
            }
            catch (UniFaceException)
            {
                // Expected: the reader refuses noise.
            }
        }, iter: 20_000);

    [Fact]
    public void Lengths_beyond_the_file_take_no_memory()
    {
        foreach (byte[] bomb in new byte[][]
        {
            [(byte)'B', 0xFF, 0xFF, 0xFF, 0x7F],
            [(byte)'T', 0xFF, 0xFF, 0xFF, 0xFF],
            [(byte)'X', 0xFF, 0xFF, 0xFF, 0x7F],
            [0x8E, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
            [0x8D, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            [0x95, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0],
        })
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Throws<UniFaceException>(() => PairBin.Parse("x.bin", bomb));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200_000);
        }
    }

    [Fact]
    public void Repeated_decoding_and_too_many_values_are_refused()
    {
        // 100,000 characters stored once, turned to bytes 5,000 times: 500 MB from 135 KB.
        List<byte> again = [.. "c_codecs\nencode\nq\u0000(V"u8, .. Enumerable.Repeat((byte)'a', 100_000), .. "\nVlatin1\ntq\u0001"u8];
        for (int i = 0; i < 5000; i++)
        {
            again.AddRange("0h\u0000h\u0001R"u8);
        }

        Assert.Contains(
            "more bytes than the file has",
            Assert.Throws<UniFaceException>(() => PairBin.Parse("x.bin", [.. again])).Message,
            StringComparison.Ordinal);
        byte[] lists = new byte[PickleReader.MaxValues + 10];
        Array.Fill(lists, (byte)')');
        Assert.Contains(
            $"more than {PickleReader.MaxValues} values",
            Assert.Throws<UniFaceException>(() => PairBin.Parse("x.bin", lists)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_is_read_and_a_missing_one_is_an_error()
    {
        using TempFolder folder = new();
        PairBin bin = PairBin.Read(folder.Write("lfw.bin", Convert.FromBase64String(PickleFixtures.Good["proto4"])));
        Assert.Equal([true, false], bin.Same);
        Assert.Contains("absent.bin", Assert.Throws<UniFaceException>(() => PairBin.Read(folder["absent.bin"])).Message, StringComparison.Ordinal);
    }

    private static byte[][] Pictures() => [.. Enumerable.Range(0, 4).Select(i => new byte[] { 0xFF, 0xD8, (byte)i, 0x0A, 0x27, 0x5C, 0, (byte)(0x80 + i) })];

    private static void AssertPictures(byte[] pickle)
    {
        PairBin bin = PairBin.Parse("x.bin", pickle);
        Assert.Equal([true, false], bin.Same);
        Assert.Equal(Pictures(), bin.Images.Select(image => image.ToArray()));
    }

    private static string Message(string pickle) => Assert.Throws<UniFaceException>(() => PairBin.Parse("x.bin", Encoding.Latin1.GetBytes(pickle))).Message;
}
