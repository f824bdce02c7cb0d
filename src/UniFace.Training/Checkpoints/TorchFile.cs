using System.IO.Compression;

namespace UniFace.Training.Checkpoints;

/// <summary>
/// Reads the tensors of a file that PyTorch's torch.save wrote (version 1.6 and newer: a zip with data.pkl and the values in data/0, data/1, ...).
/// Nothing is executed: of the pickle, only dictionaries, texts, numbers, tuples and the callables that stand for tensors are known; anything
/// else is refused with its offset. Tensors are read as float32; those of integers are left out.
/// </summary>
internal sealed class TorchFile
{
    private const int MostBytes = 1 << 30, MostOperations = 1 << 20, MostDepth = 4;
    private const long MostExpansion = 1032; // of deflate

    private readonly string path;
    private readonly byte[] pickle;
    private readonly ZipArchive zip;
    private readonly string folder;
    private readonly List<object?> stack = [];
    private readonly Stack<int> marks = [];
    private readonly Dictionary<int, object?> memo = [];
    private int at;
    private long total; // bytes of all tensors

    private TorchFile(string path, ZipArchive zip)
    {
        this.path = path;
        this.zip = zip;
        ZipArchiveEntry entry = zip.Entries.FirstOrDefault(e => e.Name == "data.pkl") ?? throw new UniFaceException(
            $"{path} has no data.pkl: it is not a file of torch.save, or one from before PyTorch 1.6; save it again with a newer PyTorch, or as safetensors.");
        folder = entry.FullName[..^"data.pkl".Length];
        pickle = ReadEntry(entry);
    }

    private enum Callable
    {
        OrderedDictionary,
        RebuildTensor,
    }

    /// <summary>The float tensors by name; of a nested dictionary, "outer.inner". The current dispose scope owns them.</summary>
    /// <exception cref="UniFaceException">It is not such a file, is damaged, or names anything that is not plain tensors.</exception>
    public static Dictionary<string, Tensor> Read(string path)
    {
        try
        {
            using ZipArchive zip = ZipFile.OpenRead(path);
            Dictionary<string, Tensor> tensors = [];
            Collect("", new TorchFile(path, zip).Run(), tensors, depth: 0);
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
        else if (value is Dictionary<string, object?> entries && depth < MostDepth)
        {
            foreach ((string key, object? entry) in entries)
            {
                Collect(name.Length == 0 ? key : $"{name}.{key}", entry, tensors, depth + 1);
            }
        }
    }

    private object? Run()
    {
        for (int operations = 0; operations < MostOperations; operations++)
        {
            char opcode = (char)Take(1)[0];
            switch (opcode)
            {
                case '.':
                    return Pop();
                case '\x80': // PROTO
                    Take(1);
                    break;
                case '(':
                    marks.Push(stack.Count);
                    break;
                case 'q': // BINPUT
                    memo[Take(1)[0]] = stack.LastOrDefault();
                    break;
                case 'r': // LONG_BINPUT
                    memo[BinaryPrimitives.ReadInt32LittleEndian(Take(4))] = stack.LastOrDefault();
                    break;
                case 'b': // BUILD: the metadata of an ordered dictionary
                    Pop();
                    break;
                case 's': // SETITEM
                    SetItems(PopTuple(2));
                    break;
                case 'u': // SETITEMS
                    SetItems(PopToMark());
                    break;
                default:
                    stack.Add(ReadValue(opcode));
                    break;
            }
        }

        throw Bad($"has more than {MostOperations} operations");
    }

    private object? ReadValue(char opcode) => opcode switch
    {
        'N' => null,
        '\x88' => true,
        '\x89' => false,
        'K' => (long)Take(1)[0],
        'M' => (long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)),
        'J' => (long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)),
        'G' => BinaryPrimitives.ReadDoubleBigEndian(Take(8)),
        'X' => Encoding.UTF8.GetString(Take(BinaryPrimitives.ReadInt32LittleEndian(Take(4)))),
        '}' => new Dictionary<string, object?>(),
        ')' => Array.Empty<object?>(),
        't' => PopToMark(),
        '\x85' or '\x86' or '\x87' => PopTuple(opcode - '\x84'),
        'h' => Recall(Take(1)[0]),
        'j' => Recall(BinaryPrimitives.ReadInt32LittleEndian(Take(4))),
        'c' => Resolve($"{ReadLine()}.{ReadLine()}"),
        'Q' => Pop(), // BINPERSID: the tuple that describes a storage
        'R' => Call(PopTuple(2)),
        _ => throw Bad($"has the opcode 0x{(int)opcode:x2}, which plain tensors do not need"),
    };

    private object Resolve(string name) => name switch
    {
        "collections.OrderedDict" => Callable.OrderedDictionary,
        "torch._utils._rebuild_tensor_v2" => Callable.RebuildTensor,
        "torch.FloatStorage" => ScalarType.Float32,
        "torch.HalfStorage" => ScalarType.Float16,
        "torch.BFloat16Storage" => ScalarType.BFloat16,
        "torch.DoubleStorage" => ScalarType.Float64,
        "torch.LongStorage" => ScalarType.Int64,
        _ => throw Bad($"names {Shorten(name)}, which is not a tensor; it was not executed. Save the state_dict alone, or as safetensors"),
    };

    private object? Call(object?[] call) => call switch
    {
        [Callable.OrderedDictionary, object?[] { Length: 0 }] => new Dictionary<string, object?>(),
        [Callable.RebuildTensor, object?[] arguments] => Rebuild(arguments),
        _ => throw Bad("calls something with arguments that are not those of a tensor; it was not executed"),
    };

    /// <summary>A tensor from (storage, offset, shape, strides, ...); null for integers.</summary>
    private Tensor? Rebuild(object?[] arguments)
    {
        if (arguments is not [object?[] and [_, ScalarType type, string key, ..], long offset, object?[] { Length: <= 8 } sizes, object?[] steps, ..]
            || sizes.Length != steps.Length || !sizes.Concat(steps).Append(offset).All(n => n is >= 0L and <= MostBytes))
        {
            throw Bad("describes a tensor in an unknown way");
        }

        if (type == ScalarType.Int64)
        {
            return null;
        }

        long[] shape = [.. sizes.Cast<long>()], strides = [.. steps.Cast<long>()];
        byte[] bytes = ReadEntry(zip.GetEntry($"{folder}data/{key}") ?? throw Bad($"names the values {Shorten(key)}, which the file does not have"));
        long width = SafeTensorsType.Describe(type).Size, count = bytes.Length / width;
        Int128 elements = 1, end = offset + 1;
        for (int i = 0; i < shape.Length; i++)
        {
            elements *= shape[i];
            end += (Int128)(shape[i] - 1) * strides[i];
        }

        if (elements == 0 || elements > count || end > count || (total += 4 * (long)elements) > MostBytes)
        {
            throw Bad($"has a tensor [{string.Join(", ", shape)}] that its {count} values do not hold, or tensors of more than {MostBytes} bytes");
        }

        using Tensor flat = empty([count], type);
        bytes.AsSpan(0, (int)(count * width)).CopyTo(flat.bytes);
        using Tensor view = flat.as_strided(shape, strides, offset);
        return view.to(ScalarType.Float32).contiguous().clone();
    }

    private void SetItems(object?[] items)
    {
        if (stack.LastOrDefault() is not Dictionary<string, object?> entries || items.Length % 2 != 0)
        {
            throw Bad("sets entries of something that is not a dictionary");
        }

        for (int i = 0; i < items.Length; i += 2)
        {
            entries[$"{items[i]}"] = items[i + 1];
        }
    }

    private byte[] ReadEntry(ZipArchiveEntry entry)
    {
        if (entry.Length > Math.Min(MostBytes, MostExpansion * (entry.CompressedLength + 1)))
        {
            throw Bad($"comes with {entry.Length} bytes in {Shorten(entry.FullName)}, more than can be, or than {MostBytes}");
        }

        byte[] bytes = new byte[entry.Length];
        using Stream stream = entry.Open();
        stream.ReadExactly(bytes);
        return bytes;
    }

    private object? Pop() => PopTuple(1)[0];

    private object?[] PopTuple(int count)
    {
        int first = stack.Count - count;
        return first >= (marks.TryPeek(out int mark) ? mark : 0) ? PopFrom(first) : throw Bad("takes a value from an empty stack");
    }

    private object?[] PopToMark() => marks.TryPop(out int mark) ? PopFrom(mark) : throw Bad("has no mark for a list");

    private object?[] PopFrom(int first)
    {
        object?[] values = [.. stack.Skip(first)];
        stack.RemoveRange(first, values.Length);
        return values;
    }

    private object? Recall(int index) => memo.TryGetValue(index, out object? value) ? value : throw Bad($"recalls value {index}, which is not known");

    private string ReadLine()
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

    private static string Shorten(string text) => text.Length <= 60 ? text : text[..60] + "...";

    private UniFaceException Bad(string what) => new($"{path}: data.pkl, before byte {at}, {what}.");
}
