using System.IO.Compression;

namespace UniFace.Training.Checkpoints;

/// <summary>
/// Reads the tensors of a file that PyTorch's torch.save wrote (version 1.6 and newer: a zip with data.pkl and the values in data/0, data/1, ...).
/// Nothing is executed: of the pickle, only dictionaries, texts, numbers, tuples and the few callables that stand for tensors are known; anything
/// else is refused with its offset. Tensors are read as float32; those of whole numbers are left out.
/// </summary>
internal sealed class TorchFile
{
    private const int MostBytes = 1 << 30, MostValues = 1 << 20;

    private readonly string path;
    private readonly byte[] pickle;
    private readonly ZipArchive zip;
    private readonly string folder;
    private readonly List<object?> stack = [];
    private readonly List<int> marks = [];
    private readonly Dictionary<int, object?> memo = [];
    private int at;

    private TorchFile(string path, ZipArchive zip)
    {
        this.path = path;
        this.zip = zip;
        ZipArchiveEntry entry = zip.Entries.FirstOrDefault(e => e.Name == "data.pkl") ?? throw new UniFaceException(
            $"{path} has no data.pkl: it is not a file of torch.save, or one of before PyTorch 1.6; save it again with a newer PyTorch, or as safetensors.");
        folder = entry.FullName[..^"data.pkl".Length];
        pickle = Bytes(entry);
    }

    private enum Call
    {
        Dictionary,
        RebuildTensor,
        RebuildParameter,
    }

    /// <summary>The float tensors by name; of a nested dictionary, "outer.inner". The current dispose scope owns them.</summary>
    /// <exception cref="UniFaceException">It is not such a file, is damaged, or names anything that is not plain tensors.</exception>
    public static Dictionary<string, Tensor> Read(string path)
    {
        try
        {
            using ZipArchive zip = ZipFile.OpenRead(path);
            TorchFile file = new(path, zip);
            Dictionary<string, Tensor> tensors = [];
            Collect("", file.Run(), tensors, depth: 0);
            return tensors;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new UniFaceException($"{path} is not a zip file as torch.save writes it: {e.Message}", e);
        }
    }

    private static void Collect(string name, object? value, Dictionary<string, Tensor> tensors, int depth)
    {
        if (value is Tensor tensor)
        {
            tensors[name] = tensor;
        }
        else if (value is Dictionary<string, object?> entries && depth < 4)
        {
            foreach ((string key, object? entry) in entries)
            {
                Collect(name.Length == 0 ? key : $"{name}.{key}", entry, tensors, depth + 1);
            }
        }
    }

    private object? Run()
    {
        for (int values = 0; values < MostValues; values++)
        {
            char opcode = (char)Take(1)[0];
            switch (opcode)
            {
                case '.':
                    return Pop();
                case '\x80': // PROTO
                    Take(1);
                    break;
                case '\x95': // FRAME
                    Take(8);
                    break;
                case '(':
                    marks.Add(stack.Count);
                    break;
                case 'q': // BINPUT
                    memo[Take(1)[0]] = stack.LastOrDefault();
                    break;
                case 'r': // LONG_BINPUT
                    memo[BinaryPrimitives.ReadInt32LittleEndian(Take(4))] = stack.LastOrDefault();
                    break;
                case '\x94': // MEMOIZE
                    memo[memo.Count] = stack.LastOrDefault();
                    break;
                case 'b': // BUILD: the metadata of an ordered dictionary
                    Pop();
                    break;
                case 's': // SETITEM
                    object? value = Pop(), key = Pop();
                    Set(stack.LastOrDefault(), [key, value]);
                    break;
                case 'u': // SETITEMS
                    object?[] items = PopToMark();
                    Set(stack.LastOrDefault(), items);
                    break;
                default:
                    stack.Add(Value(opcode));
                    break;
            }
        }

        throw Bad($"has more than {MostValues} values");
    }

    private object? Value(char opcode) => opcode switch
    {
        'N' => null,
        '\x88' => true,
        '\x89' => false,
        'K' => (long)Take(1)[0],
        'M' => (long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)),
        'J' => (long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)),
        '\x8a' => Long(Take(Take(1)[0])), // LONG1
        'G' => BinaryPrimitives.ReadDoubleBigEndian(Take(8)),
        'X' => Text(BinaryPrimitives.ReadInt32LittleEndian(Take(4))),
        '\x8c' => Text(Take(1)[0]),
        '}' => new Dictionary<string, object?>(),
        ']' => new List<object?>(),
        ')' => Array.Empty<object?>(),
        't' => PopToMark(),
        '\x85' or '\x86' or '\x87' => PopTuple(opcode - '\x84'),
        'h' => Recall(Take(1)[0]),
        'j' => Recall(BinaryPrimitives.ReadInt32LittleEndian(Take(4))),
        'c' => Name(Line(), Line()),
        'Q' => Pop(), // BINPERSID: the tuple that describes a storage
        'R' => Reduce(),
        _ => throw Bad($"has the opcode 0x{(int)opcode:x2}, which plain tensors do not need"),
    };

    private object Name(string module, string name) => (module, name) switch
    {
        ("collections", "OrderedDict") => Call.Dictionary,
        ("torch._utils", "_rebuild_tensor_v2") => Call.RebuildTensor,
        ("torch._utils", "_rebuild_parameter") => Call.RebuildParameter,
        ("torch", "FloatStorage") => ScalarType.Float32,
        ("torch", "HalfStorage") => ScalarType.Float16,
        ("torch", "BFloat16Storage") => ScalarType.BFloat16,
        ("torch", "DoubleStorage") => ScalarType.Float64,
        ("torch", "LongStorage") => ScalarType.Int64,
        ("torch", "IntStorage") => ScalarType.Int32,
        _ => throw Bad($"names {Short(module)}.{Short(name)}, which is not a tensor; it was not executed. Save the state_dict alone, or as safetensors"),
    };

    private object? Reduce() => (Pop(), Pop()) switch
    {
        (object?[] { Length: 0 }, Call.Dictionary) => new Dictionary<string, object?>(),
        (object?[] { Length: > 0 } arguments, Call.RebuildParameter) => arguments[0],
        (object?[] { Length: >= 4 } arguments, Call.RebuildTensor) => Rebuild(arguments),
        _ => throw Bad("calls something with arguments that are not those of a tensor; it was not executed"),
    };

    /// <summary>A tensor from (storage, offset, shape, strides, ...); null for whole numbers.</summary>
    private Tensor? Rebuild(object?[] arguments)
    {
        if (arguments is not [object?[] { Length: >= 3 } storage, long offset, object?[] sizes, object?[] steps, ..]
            || storage[1] is not ScalarType type || storage[2] is not string key || sizes.Length != steps.Length || sizes.Length > 8
            || !sizes.All(s => s is >= 0L and <= MostBytes) || !steps.All(s => s is >= 0L and <= MostBytes) || offset is < 0 or > MostBytes)
        {
            throw Bad("describes a tensor in an unknown way");
        }

        if (type is ScalarType.Int64 or ScalarType.Int32)
        {
            return null;
        }

        long[] shape = [.. sizes.Cast<long>()], strides = [.. steps.Cast<long>()];
        byte[] bytes = Bytes(zip.GetEntry($"{folder}data/{key}") ?? throw Bad($"names the values {Short(key)}, which the file does not have"));
        long width = SafeTensorsType.Describe(type).Size, count = bytes.Length / width;
        Int128 elements = 1, end = offset + 1;
        for (int i = 0; i < shape.Length; i++)
        {
            elements *= shape[i];
            end += (Int128)(shape[i] - 1) * strides[i];
        }

        if (elements == 0 || elements > count || end > count)
        {
            throw Bad($"has a tensor [{string.Join(", ", shape)}] that its {count} values do not hold");
        }

        using Tensor flat = empty([count], type);
        bytes.AsSpan(0, (int)(count * width)).CopyTo(flat.bytes);
        using Tensor view = flat.as_strided(shape, strides, offset);
        return view.to(ScalarType.Float32).contiguous().clone();
    }

    private void Set(object? target, object?[] items)
    {
        if (target is not Dictionary<string, object?> entries || items.Length % 2 != 0)
        {
            throw Bad("sets entries of something that is not a dictionary");
        }

        for (int i = 0; i < items.Length; i += 2)
        {
            entries[items[i] as string ?? $"{items[i]}"] = items[i + 1];
        }
    }

    private byte[] Bytes(ZipArchiveEntry entry)
    {
        if (entry.Length > MostBytes)
        {
            throw Bad($"has {entry.Length} bytes in {Short(entry.FullName)}, expected at most {MostBytes}");
        }

        using Stream stream = entry.Open();
        byte[] bytes = new byte[Math.Min(entry.Length, 1 << 16)];
        for (int read = 0; ;)
        {
            int got = stream.Read(bytes, read, bytes.Length - read);
            read += got;
            if (got == 0)
            {
                return bytes[..read];
            }

            if (read == bytes.Length)
            {
                Array.Resize(ref bytes, (int)Math.Min(Math.Max(entry.Length, read + 1L), 2L * read)); // Grows with what is there, not with what is claimed.
            }
        }
    }

    private object? Pop()
    {
        if (stack.Count == 0 || (marks.Count > 0 && marks[^1] == stack.Count))
        {
            throw Bad("takes a value from an empty stack");
        }

        object? value = stack[^1];
        stack.RemoveAt(stack.Count - 1);
        return value;
    }

    private object?[] PopTuple(int count) => [.. Enumerable.Range(0, count).Select(_ => Pop()).Reverse()];

    private object?[] PopToMark()
    {
        if (marks.Count == 0)
        {
            throw Bad("has no mark for a list");
        }

        object?[] values = [.. stack.Skip(marks[^1])];
        stack.RemoveRange(marks[^1], values.Length);
        marks.RemoveAt(marks.Count - 1);
        return values;
    }

    private object? Recall(int index) => memo.TryGetValue(index, out object? value) ? value : throw Bad($"recalls value {index}, which is not known");

    private string Text(int length) => Encoding.UTF8.GetString(Take(length));

    private string Line()
    {
        int length = pickle.AsSpan(at).IndexOf((byte)'\n');
        string line = Encoding.UTF8.GetString(Take(length < 0 ? int.MaxValue : length));
        Take(1);
        return line;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count < 0 || count > pickle.Length - at)
        {
            throw Bad("ends too early");
        }

        at += count;
        return pickle.AsSpan(at - count, count);
    }

    private static long Long(ReadOnlySpan<byte> bytes)
    {
        Span<byte> wide = stackalloc byte[8];
        wide.Fill((byte)(bytes.Length > 0 && bytes[^1] > 127 ? 255 : 0));
        bytes[..Math.Min(bytes.Length, 8)].CopyTo(wide);
        return BinaryPrimitives.ReadInt64LittleEndian(wide);
    }

    private static string Short(string text) => text.Length <= 60 ? text : text[..60] + "...";

    private UniFaceException Bad(string what) => new($"{path}: data.pkl, before byte {at}, {what}.");
}
