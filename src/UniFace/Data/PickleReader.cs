using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace UniFace.Data;

/// <summary>
/// Reads the plain values that verification sets are made of from a Python pickle, protocols 0 to 5: None, bools, whole numbers,
/// byte strings (Python 2's str, Python 3's bytes and bytearray), text, lists and tuples. Nothing is ever executed: the few callables
/// that Python writes to say "bytes" or "array of uint8" are known by name (<see cref="PickleCalls"/>) and computed here; every other opcode
/// or name is an error with its offset. Memory is bounded by the file's length and <see cref="MostValues"/>: byte strings are slices of the file.
/// </summary>
/// <remarks>The opcodes are those of Python's own documentation in Lib/pickletools.py.</remarks>
internal sealed class PickleReader
{
    /// <summary>A pickle of more values than this is refused; LFW's has about 18,000.</summary>
    public const int MostValues = 1 << 22;

    private const int HighestProtocol = 5;

    private readonly string path;
    private readonly byte[] file;
    private readonly List<object> stack = [];
    private readonly List<int> marks = [];
    private readonly Dictionary<long, object> memo = [];
    private readonly PickleCalls calls;
    private int at;
    private int opcodeAt;
    private int values;

    private PickleReader(string path, byte[] file)
    {
        this.path = path;
        this.file = file;
        calls = new PickleCalls(file.Length, Bad);
    }

    /// <summary>The pickle's value: null is <see cref="DBNull"/>, whole numbers are long, byte strings <see cref="ReadOnlyMemory{T}"/>
    /// of byte, lists List of object, tuples object[].</summary>
    /// <param name="path">What to call the file in an error.</param>
    /// <param name="file">Its bytes; byte strings of the result point into it.</param>
    /// <exception cref="UniFaceException">It is no pickle, is truncated, or holds something else than plain values.</exception>
    public static object Read(string path, byte[] file) => new PickleReader(path, file).Run();

    /// <summary>What a value is, for errors.</summary>
    public static string Describe(object value) => value switch
    {
        DBNull => "None",
        bool => "a bool",
        long => "a number",
        string => "text",
        ReadOnlyMemory<byte> => "bytes",
        List<object> list => $"a list of {list.Count}",
        object[] tuple => $"a tuple of {tuple.Length}",
        _ => PickleCalls.Describe(value),
    };

    private object Run()
    {
        while (true)
        {
            opcodeAt = at;
            byte opcode = Byte("an opcode");
            if (opcode == (byte)'.')
            {
                return stack.Count == 1 && marks.Count == 0 ? stack[0] : throw Bad($"the pickle ends with {stack.Count} values on its stack, expected 1");
            }

            if (!Value(opcode) && !Structure(opcode) && !Call(opcode))
            {
                throw Bad($"opcode 0x{opcode:x2}{(opcode is > 32 and < 127 ? $" '{(char)opcode}'" : "")} is not among those of plain bytes, numbers, lists and tuples; the file is no verification set (nothing in it was executed)");
            }
        }
    }

    private bool Value(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'N':
                Push(DBNull.Value);
                return true;
            case 0x88 or 0x89: // NEWTRUE, NEWFALSE
                Push(opcode == 0x88);
                return true;
            case (byte)'I': // INT; "01" and "00" are the bools of protocol 0
                ReadOnlySpan<byte> digits = Line();
                Push(digits.SequenceEqual("01"u8) ? true : digits.SequenceEqual("00"u8) ? false : Decimal(digits));
                return true;
            case (byte)'L': // LONG
                ReadOnlySpan<byte> number = Line();
                Push(Decimal(number.EndsWith("L"u8) ? number[..^1] : number));
                return true;
            case (byte)'K':
                Push((long)Byte("a number"));
                return true;
            case (byte)'M':
                Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2, "a number").Span));
                return true;
            case (byte)'J':
                Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4, "a number").Span));
                return true;
            case 0x8A: // LONG1
                Push(LittleEndian(Take(Byte("a length"), "a number").Span));
                return true;
            case (byte)'S': // STRING, quoted as Python 2's repr does
                Push(calls.Unquote(Line()));
                return true;
            case (byte)'U' or (byte)'C': // SHORT_BINSTRING, SHORT_BINBYTES
                Push(Take(Byte("a length"), "bytes"));
                return true;
            case (byte)'T' or (byte)'B': // BINSTRING, BINBYTES
                Push(Take(BinaryPrimitives.ReadUInt32LittleEndian(Take(4, "a length").Span), "bytes"));
                return true;
            case 0x8E or 0x96: // BINBYTES8, BYTEARRAY8
                Push(Take(Length8(), "bytes"));
                return true;
            case (byte)'V': // UNICODE
                Push(calls.RawUnicode(Line()));
                return true;
            case 0x8C: // SHORT_BINUNICODE
                Push(Encoding.UTF8.GetString(Take(Byte("a length"), "text").Span));
                return true;
            case (byte)'X': // BINUNICODE
                Push(Encoding.UTF8.GetString(Take(BinaryPrimitives.ReadUInt32LittleEndian(Take(4, "a length").Span), "text").Span));
                return true;
            case 0x8D: // BINUNICODE8
                Push(Encoding.UTF8.GetString(Take(Length8(), "text").Span));
                return true;
            default:
                return false;
        }
    }

    private bool Structure(byte opcode)
    {
        switch (opcode)
        {
            case 0x80: // PROTO
                byte protocol = Byte("a protocol");
                return protocol <= HighestProtocol ? true : throw Bad($"pickle protocol {protocol} is not known, expected 0 to {HighestProtocol}");
            case 0x95: // FRAME: only says how much to read ahead
                long frame = Length8();
                return frame <= file.Length - at ? true : throw Bad($"a frame of {frame} bytes is longer than the {file.Length - at} that are left; the file is truncated");
            case (byte)'(':
                marks.Add(stack.Count);
                CountValue();
                return true;
            case (byte)']':
                Push(new List<object>());
                return true;
            case (byte)'l': // LIST
                Push(new List<object>(PopToMark()));
                return true;
            case (byte)'a': // APPEND
                object item = Pop();
                List().Add(item);
                return true;
            case (byte)'e': // APPENDS
                object[] items = PopToMark();
                List().AddRange(items);
                return true;
            case (byte)')':
                Push(Array.Empty<object>());
                return true;
            case (byte)'t': // TUPLE
                Push(PopToMark());
                return true;
            case 0x85 or 0x86 or 0x87: // TUPLE1 to TUPLE3
                object[] tuple = new object[opcode - 0x84];
                for (int i = tuple.Length - 1; i >= 0; i--)
                {
                    tuple[i] = Pop();
                }

                Push(tuple);
                return true;
            case (byte)'0': // POP
                Pop();
                return true;
            case (byte)'1': // POP_MARK
                PopToMark();
                return true;
            case (byte)'p':
                memo[Decimal(Line())] = Top();
                return true;
            case (byte)'q':
                memo[Byte("a memo index")] = Top();
                return true;
            case (byte)'r':
                memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4, "a memo index").Span)] = Top();
                return true;
            case 0x94: // MEMOIZE
                memo[memo.Count] = Top();
                return true;
            case (byte)'g':
                Push(Memo(Decimal(Line())));
                return true;
            case (byte)'h':
                Push(Memo(Byte("a memo index")));
                return true;
            case (byte)'j':
                Push(Memo(BinaryPrimitives.ReadUInt32LittleEndian(Take(4, "a memo index").Span)));
                return true;
            default:
                return false;
        }
    }

    private bool Call(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'c': // GLOBAL
                string module = Encoding.UTF8.GetString(Line());
                Push(calls.Name(module, Encoding.UTF8.GetString(Line())));
                return true;
            case 0x93: // STACK_GLOBAL
                object name = Pop();
                object from = Pop();
                Push(from is string moduleText && name is string nameText ? calls.Name(moduleText, nameText) : throw Bad("a name is not text"));
                return true;
            case (byte)'R': // REDUCE
                object arguments = Pop();
                object callable = Pop();
                Push(calls.Reduce(callable, arguments as object[] ?? throw Bad($"arguments are {Describe(arguments)}, expected a tuple")));
                return true;
            case (byte)'b': // BUILD
                object state = Pop();
                calls.Build(Top(), state);
                return true;
            default:
                return false;
        }
    }

    private void Push(object value)
    {
        CountValue();
        stack.Add(value);
    }

    private void CountValue()
    {
        if (++values > MostValues)
        {
            throw Bad($"the pickle has more than {MostValues} values");
        }
    }

    private object Pop()
    {
        object top = Top();
        stack.RemoveAt(stack.Count - 1);
        return top;
    }

    private object Top() => stack.Count > (marks.Count > 0 ? marks[^1] : 0) ? stack[^1] : throw Bad("the pickle takes a value where it put none");

    private object[] PopToMark()
    {
        if (marks.Count == 0)
        {
            throw Bad("the pickle closes a list or tuple that it did not open");
        }

        int start = marks[^1];
        marks.RemoveAt(marks.Count - 1);
        object[] items = [.. stack[start..]];
        stack.RemoveRange(start, stack.Count - start);
        return items;
    }

    private List<object> List() => Top() as List<object> ?? throw Bad($"the pickle appends to {Describe(Top())}, expected a list");

    private object Memo(long index) => memo.TryGetValue(index, out object? value) ? value : throw Bad($"the pickle recalls value {index}, which it did not store");

    private byte Byte(string what) => Take(1, what).Span[0];

    private ReadOnlyMemory<byte> Take(long count, string what)
    {
        if (count > file.Length - at)
        {
            throw Bad($"{what} of {count} bytes at offset {at} reaches past the end at {file.Length}; the file is truncated, or no pickle");
        }

        ReadOnlyMemory<byte> taken = file.AsMemory(at, (int)count);
        at += (int)count;
        return taken;
    }

    private long Length8()
    {
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(Take(8, "a length").Span);
        return length <= int.MaxValue ? (long)length : throw Bad($"a length of {length} bytes is larger than the file");
    }

    private ReadOnlySpan<byte> Line()
    {
        int length = file.AsSpan(at).IndexOf((byte)'\n');
        if (length < 0)
        {
            throw Bad("a line has no end; the file is truncated, or no pickle");
        }

        ReadOnlySpan<byte> line = file.AsSpan(at, length);
        at += length + 1;
        return line;
    }

    private long Decimal(ReadOnlySpan<byte> digits) =>
        long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) ? value : throw Bad("a whole number was expected");

    private long LittleEndian(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > 8)
        {
            throw Bad($"a number of {bytes.Length} bytes is too large");
        }

        long value = bytes.IsEmpty ? 0 : (sbyte)bytes[^1];
        for (int i = bytes.Length - 2; i >= 0; i--)
        {
            value = (value << 8) | bytes[i];
        }

        return value;
    }

    private UniFaceException Bad(string what) => new($"{path}: at offset {opcodeAt}: {what}.");
}
