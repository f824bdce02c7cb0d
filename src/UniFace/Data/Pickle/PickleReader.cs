namespace UniFace.Data.Pickle;

/// <summary>
/// Reads plain values from a Python pickle, protocols 0 to 5: None, bools, whole numbers, byte strings (Python 2's str, Python 3's bytes and
/// bytearray), text, lists and tuples. Nothing is executed: the few callables that Python writes for bytes and arrays are recognized by
/// name and computed by <see cref="PickleCalls"/>; every other opcode or name is an error with its offset. Memory is bounded by the
/// file's length and <see cref="MaxValues"/>: byte strings are slices of the file.
/// </summary>
/// <remarks>The opcodes are documented in Python's Lib/pickletools.py.</remarks>
internal sealed class PickleReader
{
    /// <summary>Upper limit for the number of values; LFW's pickle has about 18,000.</summary>
    public const int MaxValues = 1 << 22;

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
    /// <param name="path">The file's name in errors.</param>
    /// <param name="file">Its bytes; byte strings of the result point into it.</param>
    /// <exception cref="UniFaceException">It is not a pickle, is truncated, or holds other values.</exception>
    public static object Read(string path, byte[] file) => new PickleReader(path, file).Run();

    /// <summary>Names the type of a value, for errors.</summary>
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
            if (opcode == '.')
            {
                return stack.Count == 1 && marks.Count == 0
                    ? stack[0]
                    : throw Bad($"the pickle ends with {stack.Count} values on its stack, expected 1");
            }

            if (Value((char)opcode) is object value)
            {
                Push(value);
            }
            else
            {
                Execute((char)opcode);
            }
        }
    }

    /// <summary>The value of an opcode that pushes one; null for another opcode.</summary>
    private object? Value(char opcode) => opcode switch
    {
        'N' => DBNull.Value,
        '\x88' => true, // NEWTRUE
        '\x89' => false, // NEWFALSE
        'I' => Integer(Line()), // INT
        'L' => Decimal(Line().TrimEnd((byte)'L')), // LONG
        'K' => (long)Byte("a number"), // BININT1
        'M' => (long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2, "a number").Span), // BININT2
        'J' => (long)BinaryPrimitives.ReadInt32LittleEndian(Take(4, "a number").Span), // BININT
        '\x8A' => LittleEndian(Take(Byte("a length"), "a number").Span), // LONG1
        'S' => calls.Unquote(Line()), // STRING, quoted as Python 2's repr does
        'U' or 'C' => Take(Byte("a length"), "bytes"), // SHORT_BINSTRING, SHORT_BINBYTES
        'T' or 'B' => Take(Length4(), "bytes"), // BINSTRING, BINBYTES
        '\x8E' or '\x96' => Take(Length8(), "bytes"), // BINBYTES8, BYTEARRAY8
        'V' => calls.RawUnicode(Line()), // UNICODE
        '\x8C' => Text(Byte("a length")), // SHORT_BINUNICODE
        'X' => Text(Length4()), // BINUNICODE
        '\x8D' => Text(Length8()), // BINUNICODE8
        ']' => new List<object>(), // EMPTY_LIST
        'l' => new List<object>(PopToMark()), // LIST
        ')' => Array.Empty<object>(), // EMPTY_TUPLE
        't' => PopToMark(), // TUPLE
        '\x85' or '\x86' or '\x87' => PopTuple(opcode - '\x84'), // TUPLE1 to TUPLE3
        'g' => Memo(Decimal(Line())), // GET
        'h' => Memo(Byte("a memo index")), // BINGET
        'j' => Memo(Length4()), // LONG_BINGET
        'c' => calls.Name(Encoding.UTF8.GetString(Line()), Encoding.UTF8.GetString(Line())), // GLOBAL
        '\x93' => PopTuple(2) is [string module, string name] ? calls.Name(module, name) : throw Bad("a name is not text"), // STACK_GLOBAL
        'R' => PopTuple(2) is [object callable, object[] arguments] // REDUCE
            ? calls.Reduce(callable, arguments)
            : throw Bad("the arguments of a call are not a tuple"),
        _ => null,
    };

    /// <summary>Executes an opcode that pushes no value.</summary>
    private void Execute(char opcode)
    {
        switch (opcode)
        {
            case '\x80': // PROTO
                byte protocol = Byte("a protocol");
                if (protocol > HighestProtocol)
                {
                    throw Bad($"pickle protocol {protocol} is not known, expected 0 to {HighestProtocol}");
                }

                break;
            case '\x95': // FRAME: only a hint for reading ahead
                long frame = Length8();
                if (frame > file.Length - at)
                {
                    throw Bad($"a frame of {frame} bytes is longer than the {file.Length - at} that are left; the file is truncated");
                }

                break;
            case '(': // MARK
                marks.Add(stack.Count);
                CountValue();
                break;
            case 'a': // APPEND
                object item = Pop();
                List().Add(item);
                break;
            case 'e': // APPENDS
                object[] items = PopToMark();
                List().AddRange(items);
                break;
            case '0': // POP
                Pop();
                break;
            case '1': // POP_MARK
                PopToMark();
                break;
            case 'p': // PUT
                memo[Decimal(Line())] = Top();
                break;
            case 'q': // BINPUT
                memo[Byte("a memo index")] = Top();
                break;
            case 'r': // LONG_BINPUT
                memo[Length4()] = Top();
                break;
            case '\x94': // MEMOIZE
                memo[memo.Count] = Top();
                break;
            case 'b': // BUILD
                object state = Pop();
                calls.Build(Top(), state);
                break;
            default:
                string letter = opcode is > ' ' and < '\x7F' ? $" '{opcode}'" : "";
                throw Bad(
                    $"opcode 0x{(int)opcode:x2}{letter} is not one of plain bytes, numbers, lists and tuples; " +
                    "the file is not a verification set (nothing in it was executed)");
        }
    }

    private object[] PopTuple(int count)
    {
        object[] items = new object[count];
        for (int i = count - 1; i >= 0; i--)
        {
            items[i] = Pop();
        }

        return items;
    }

    private void Push(object value)
    {
        CountValue();
        stack.Add(value);
    }

    private void CountValue()
    {
        if (++values > MaxValues)
        {
            throw Bad($"the pickle has more than {MaxValues} values");
        }
    }

    private object Pop()
    {
        object top = Top();
        stack.RemoveAt(stack.Count - 1);
        return top;
    }

    private object Top() =>
        stack.Count > (marks.Count > 0 ? marks[^1] : 0) ? stack[^1] : throw Bad("the pickle takes a value from an empty stack");

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

    private object Memo(long index) =>
        memo.TryGetValue(index, out object? value) ? value : throw Bad($"the pickle reads value {index}, which it did not store");

    private byte Byte(string what) => Take(1, what).Span[0];

    private ReadOnlyMemory<byte> Take(long count, string what)
    {
        if (count > file.Length - at)
        {
            throw Bad($"{what} of {count} bytes at offset {at} reaches past the end at {file.Length}; the file is truncated, or is not a pickle");
        }

        ReadOnlyMemory<byte> taken = file.AsMemory(at, (int)count);
        at += (int)count;
        return taken;
    }

    private string Text(long length) => Encoding.UTF8.GetString(Take(length, "text").Span);

    private long Length4() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, "a length").Span);

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
            throw Bad("a line has no end; the file is truncated, or is not a pickle");
        }

        ReadOnlySpan<byte> line = file.AsSpan(at, length);
        at += length + 1;
        return line;
    }

    // "01" and "00" are the bools of protocol 0.
    private object Integer(ReadOnlySpan<byte> digits) =>
        digits.SequenceEqual("01"u8) ? true : digits.SequenceEqual("00"u8) ? false : Decimal(digits);

    private long Decimal(ReadOnlySpan<byte> digits) =>
        long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value)
            ? value
            : throw Bad("a whole number was expected");

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

    private UniFaceException Bad(string what) => new($"{path}: at offset {opcodeAt}: {what}");
}
