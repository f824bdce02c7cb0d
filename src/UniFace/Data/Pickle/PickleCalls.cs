namespace UniFace.Data.Pickle;

/// <summary>
/// The callables that a verification set may name, computed here and never executed: Python 3's bytes at protocols 0 to 2
/// (_codecs.encode(text, "latin1")), NumPy's arrays of uint8 (as cv2.imencode returns), and its bools and whole numbers, alone or in an
/// array.
/// </summary>
internal sealed class PickleCalls(long budget, Func<string, UniFaceException> bad)
{
    /// <summary>Bytes that decoding may still produce: in total no more than the file has.</summary>
    private long left = budget;

    private enum Callable
    {
        Encode,
        ArrayType,
        DataType,
        Reconstruct,
        Scalar,
        FromBuffer,
    }

    /// <summary>Names the type of a value, for errors.</summary>
    public static string Describe(object value) => value switch
    {
        PickledArray => "a NumPy array",
        ElementType => "a NumPy dtype",
        Callable => "a function",
        _ => "something else",
    };

    /// <summary>The bytes of a NumPy array of uint8, or of a byte string.</summary>
    public static ReadOnlyMemory<byte>? Bytes(object value) => value switch
    {
        ReadOnlyMemory<byte> bytes => bytes,
        PickledArray { Type.IsByte: true } array => array.Content,
        _ => null,
    };

    /// <summary>The values of a list or tuple, or of a NumPy array of bools or whole numbers.</summary>
    public static IReadOnlyList<object>? Values(object value) => value switch
    {
        PickledArray { Content: ReadOnlyMemory<byte> content, Type: ElementType type } when content.Length / type.Size <= PickleReader.MaxValues =>
            [.. Enumerable.Range(0, content.Length / type.Size).Select(i => type.Value(content.Span.Slice(i * type.Size, type.Size)))],
        _ => value as IReadOnlyList<object>,
    };

    /// <summary>One of the known names; anything else is an error. NumPy 2 writes numpy._core for numpy.core.</summary>
    public object Name(string module, string name) => (module.Replace("numpy._core.", "numpy.core.", StringComparison.Ordinal), name) switch
    {
        ("_codecs", "encode") => Callable.Encode,
        ("numpy", "ndarray") => Callable.ArrayType,
        ("numpy", "dtype") => Callable.DataType,
        ("numpy.core.multiarray", "_reconstruct") => Callable.Reconstruct,
        ("numpy.core.multiarray", "scalar") => Callable.Scalar,
        ("numpy.core.numeric", "_frombuffer") => Callable.FromBuffer,
        _ => throw bad($"the pickle names {module.Shorten(60)}.{name.Shorten(60)}, which is not plain data; it was not executed"),
    };

    /// <summary>The value of a call.</summary>
    public object Reduce(object callable, object[] arguments)
    {
        switch (callable, arguments)
        {
            case (Callable.Encode, [string text, string or ReadOnlyMemory<byte>]):
                string encoding = arguments[1] as string ?? Encoding.ASCII.GetString(((ReadOnlyMemory<byte>)arguments[1]).Span);
                return encoding is "latin1" or "latin-1" or "iso-8859-1"
                    ? Latin1(text)
                    : throw bad($"_codecs.encode to {encoding.Shorten(60)}, expected latin1");
            case (Callable.DataType, [object code, ..]):
                return new ElementType(code as string ?? (code is ReadOnlyMemory<byte> bytes ? Encoding.ASCII.GetString(bytes.Span) : ""));
            case (Callable.Reconstruct, [Callable.ArrayType, ..]):
                return new PickledArray();
            case (Callable.Scalar, [ElementType { Size: > 0 } type, ReadOnlyMemory<byte> content]) when content.Length == type.Size:
                return type.Value(content.Span);
            case (Callable.FromBuffer, [ReadOnlyMemory<byte> content, ElementType type, object[] shape, ..]):
                PickledArray array = new();
                Fill(array, type, shape, content);
                return array;
            default:
                throw bad(
                    "the pickle calls something with arguments that are not those of bytes, of a NumPy array of uint8 or of a bool or whole number; " +
                    "it was not executed");
        }
    }

    /// <summary>Sets the state of a call's result.</summary>
    public void Build(object target, object state)
    {
        switch (target, state)
        {
            case (ElementType type, object[] layout):
                type.IsBigEndian = layout.Length > 1 && (layout[1] is ">" || (layout[1] is ReadOnlyMemory<byte> order && order.Span.SequenceEqual(">"u8)));
                return;
            case (PickledArray { Content: null } array, object[] { Length: 5 } parts)
                when parts[1] is object[] shape && parts[2] is ElementType type && parts[4] is ReadOnlyMemory<byte> content:
                Fill(array, type, shape, content);
                return;
            default:
                throw bad("the pickle sets the state of something that is not a NumPy array of uint8; it was not executed");
        }
    }

    /// <summary>Python 2's quoted string: 'a\n\x00'.</summary>
    public ReadOnlyMemory<byte> Unquote(ReadOnlySpan<byte> quoted)
    {
        quoted = quoted.TrimEnd((byte)'\r');
        if (quoted.Length < 2 || quoted[0] is not ((byte)'\'' or (byte)'"') || quoted[^1] != quoted[0])
        {
            throw bad("a string is not in quotes");
        }

        quoted = quoted[1..^1];
        byte[] bytes = new byte[quoted.Length];
        int count = 0;
        for (int i = 0; i < quoted.Length; i++)
        {
            byte c = quoted[i];
            if (c != '\\')
            {
                bytes[count++] = c;
                continue;
            }

            c = ++i < quoted.Length ? quoted[i] : throw bad("a string ends in the middle of an escape");
            bytes[count++] = c switch
            {
                (byte)'\\' or (byte)'\'' or (byte)'"' => c,
                (byte)'x' => (byte)Hex(quoted, ref i, 2),
                >= (byte)'0' and <= (byte)'7' => Octal(quoted, ref i),
                _ when "abfnrtv".IndexOf((char)c) is >= 0 and int letter => (byte)"\a\b\f\n\r\t\v"[letter],
                _ => throw bad($"a string has the escape \\{(char)c}"),
            };
        }

        return bytes.AsMemory(0, count);
    }

    /// <summary>Text of protocol 0: Latin-1 with \uXXXX and \UXXXXXXXX.</summary>
    public string RawUnicode(ReadOnlySpan<byte> raw)
    {
        StringBuilder text = new(raw.Length);
        for (int i = 0; i < raw.Length; i++)
        {
            if (raw[i] == '\\' && i + 1 < raw.Length && raw[i + 1] is (byte)'u' or (byte)'U')
            {
                int digits = raw[++i] == 'u' ? 4 : 8;
                uint code = Hex(raw, ref i, digits);
                text.Append(code <= char.MaxValue ? ((char)code).ToString()
                    : Rune.TryCreate(code, out Rune rune) ? rune.ToString() : throw bad("text has an invalid character"));
            }
            else
            {
                text.Append((char)raw[i]);
            }
        }

        return text.ToString();
    }

    private byte[] Spend(int count)
    {
        left -= count;
        return left >= 0 ? new byte[count] : throw bad("the pickle decodes to more bytes than the file has");
    }

    private ReadOnlyMemory<byte> Latin1(string text)
    {
        byte[] bytes = Spend(text.Length);
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = text[i] <= 0xFF ? (byte)text[i] : throw bad("text of bytes has a character over 255");
        }

        return bytes;
    }

    private void Fill(PickledArray array, ElementType type, object[] shape, ReadOnlyMemory<byte> content)
    {
        if (type.Size == 0)
        {
            throw bad($"a NumPy array of {type.Code.Shorten(60)}, expected uint8 (an encoded image), bools or whole numbers");
        }

        long size = type.Size;
        foreach (object side in shape)
        {
            size = side is long length and >= 0 && size <= content.Length ? size * Math.Min(length, content.Length + 1L) : -1;
            if (size < 0)
            {
                break;
            }
        }

        array.Type = type;
        array.Content = size == content.Length ? content : throw bad($"a NumPy array of {content.Length} bytes does not match its shape");
    }

    private uint Hex(ReadOnlySpan<byte> text, ref int i, int digits)
    {
        if (text.Length - i - 1 < digits
            || !uint.TryParse(text.Slice(i + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint value))
        {
            throw bad($"an escape does not have {digits} hexadecimal digits");
        }

        i += digits;
        return value;
    }

    private static byte Octal(ReadOnlySpan<byte> text, ref int i)
    {
        int value = 0;
        int end = Math.Min(i + 3, text.Length);
        for (; i < end && text[i] is >= (byte)'0' and <= (byte)'7'; i++)
        {
            value = (value << 3) | (text[i] - '0');
        }

        i--;
        return (byte)value;
    }

    private sealed class PickledArray
    {
        public ReadOnlyMemory<byte>? Content { get; set; }

        public ElementType? Type { get; set; }
    }

    /// <summary>A NumPy dtype; only bools and whole numbers have a size here.</summary>
    private sealed record ElementType(string Code)
    {
        public int Size => Code.TrimStart('|', '<', '>', '=') switch
        {
            "b1" or "?" or "i1" or "u1" or "b" or "B" => 1,
            "i2" or "u2" => 2,
            "i4" or "u4" => 4,
            "i8" or "u8" => 8,
            _ => 0,
        };

        public bool IsByte => Code is "u1" or "|u1" or "B";

        /// <summary>Set by the dtype's state, which follows its name, or by the name itself.</summary>
        public bool IsBigEndian { get; set; } = Code.StartsWith('>');

        /// <summary>The bits as a number; only 0 and 1 are valid answers.</summary>
        public long Value(ReadOnlySpan<byte> bytes)
        {
            long value = 0;
            for (int i = 0; i < bytes.Length; i++)
            {
                value = (value << 8) | bytes[IsBigEndian ? i : bytes.Length - 1 - i];
            }

            return value;
        }
    }
}
