using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace UniFace.TestSupport;

/// <summary>Writes RecordIO sets as MXNet and InsightFace do (dmlc-core recordio.cc, recordio.py, rec_builder.py), for tests.</summary>
internal sealed class RecordIOWriter(uint magic = 0xCED7230A)
{
    private readonly List<byte> records = [];
    private readonly StringBuilder index = new();
    private readonly int kindShift = magic == 0xCED7230A ? 29 : 30;

    public byte[] Records => [.. records];

    public byte[] Index => Encoding.ASCII.GetBytes(index.ToString());

    /// <summary>Appends a record and its line of the index.</summary>
    public RecordIOWriter Add(long key, byte[] payload)
    {
        index.Append(CultureInfo.InvariantCulture, $"{key}\t{records.Count}\n");
        byte[] word = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(word, magic);
        int done = 0;
        for (int i = 0; i + 4 <= payload.Length; i += 4)
        {
            if (payload.AsSpan(i, 4).SequenceEqual(word))
            {
                Part(done == 0 ? 1u : 2u, payload.AsSpan(done, i - done));
                done = i + 4;
            }
        }

        Part(done == 0 ? 0u : 3u, payload.AsSpan(done));
        return this;
    }

    /// <summary>Appends a picture with one label or, in the old way, several.</summary>
    public RecordIOWriter AddImage(long key, byte[] image, params float[] labels) => Add(
        key, [.. Header(labels.Length == 1 ? 0 : (uint)labels.Length, labels, (ulong)key), .. image]);

    /// <summary>Appends a record of two labels without a picture: record 0, or an identity.</summary>
    public RecordIOWriter AddRange(long key, float first, float end) => Add(key, Header(2, [first, end], (ulong)key));

    /// <summary>Writes train.rec, train.idx and property into a folder.</summary>
    public string Save(string folder, string? property = null, string under = "")
    {
        string set = Path.Combine(folder, under);
        Directory.CreateDirectory(set);
        File.WriteAllBytes(Path.Combine(set, "train.rec"), Records);
        File.WriteAllBytes(Path.Combine(set, "train.idx"), Index);
        if (property is not null)
        {
            File.WriteAllBytes(Path.Combine(set, "property"), Encoding.ASCII.GetBytes(property));
        }

        return set;
    }

    private static byte[] Header(uint flag, float[] labels, ulong id)
    {
        byte[] header = new byte[24 + (4 * (int)flag)];
        BinaryPrimitives.WriteUInt32LittleEndian(header, flag);
        BinaryPrimitives.WriteSingleLittleEndian(header.AsSpan(4), flag == 0 ? labels[0] : 0);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), id);
        for (int i = 0; i < flag; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(header.AsSpan(24 + (4 * i)), labels[i]);
        }

        return header;
    }

    private void Part(uint kind, ReadOnlySpan<byte> data)
    {
        Span<byte> head = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(head, magic);
        BinaryPrimitives.WriteUInt32LittleEndian(head[4..], (kind << kindShift) | (uint)data.Length);
        records.AddRange(head);
        records.AddRange(data);
        records.AddRange(new byte[-data.Length & 3]);
    }
}
