using System.Buffers.Binary;

namespace UniFace.Vision.Onnx;

/// <summary>One field of a protobuf message, and where it stands.</summary>
/// <param name="Number">The field's number.</param>
/// <param name="Wire">0 varint, 1 eight bytes, 2 bytes of a length, 5 four bytes.</param>
/// <param name="Value">The value of wire 0.</param>
/// <param name="Start">Where the whole field begins in the message.</param>
/// <param name="Body">Where the bytes of wire 1, 2 and 5 begin.</param>
/// <param name="End">Where it ends.</param>
internal readonly record struct ProtoField(int Number, int Wire, ulong Value, int Start, int Body, int End);

/// <summary>
/// Reads and writes protobuf's wire format, as far as changing some nodes of an ONNX graph takes it. Every length is checked
/// against what is there.
/// </summary>
internal static class ProtoFields
{
    /// <summary>The fields of a message.</summary>
    /// <exception cref="InvalidDataException">It is no message.</exception>
    public static List<ProtoField> Read(ReadOnlySpan<byte> message)
    {
        List<ProtoField> fields = [];
        int at = 0;
        while (at < message.Length)
        {
            int start = at;
            ulong tag = Varint(message, ref at);
            (int number, int wire) = ((int)Math.Min(tag >> 3, int.MaxValue), (int)(tag & 7));
            ulong value = 0;
            int body = at;
            switch (wire)
            {
                case 0:
                    value = Varint(message, ref at);
                    break;
                case 1 or 5:
                    at += wire == 1 ? 8 : 4;
                    break;
                case 2:
                    ulong length = Varint(message, ref at);
                    body = at;
                    at = length <= (ulong)(message.Length - at) ? at + (int)length : throw new InvalidDataException("a field is longer than its message");
                    break;
                default:
                    throw new InvalidDataException("an unknown kind of field");
            }

            if (at > message.Length || number == 0)
            {
                throw new InvalidDataException("a field ends after its message");
            }

            fields.Add(new ProtoField(number, wire, value, start, body, at));
        }

        return fields;
    }

    /// <summary>Reads a varint.</summary>
    public static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            if (at >= bytes.Length)
            {
                break;
            }

            byte next = bytes[at++];
            value |= (ulong)(next & 127) << shift;
            if (next < 128)
            {
                return value;
            }
        }

        throw new InvalidDataException("a number does not end");
    }

    /// <summary>Writes a varint field.</summary>
    public static void Write(Stream stream, int number, ulong value)
    {
        WriteVarint(stream, (ulong)number << 3);
        WriteVarint(stream, value);
    }

    /// <summary>Writes a field of bytes.</summary>
    public static void Write(Stream stream, int number, ReadOnlySpan<byte> bytes)
    {
        WriteVarint(stream, ((ulong)number << 3) | 2);
        WriteVarint(stream, (ulong)bytes.Length);
        stream.Write(bytes);
    }

    /// <summary>Writes a field of text.</summary>
    public static void Write(Stream stream, int number, string text) => Write(stream, number, System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>Floats as little-endian bytes, and back.</summary>
    public static byte[] Bytes(ReadOnlySpan<float> values)
    {
        byte[] bytes = new byte[values.Length * 4];
        for (int i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * 4), values[i]);
        }

        return bytes;
    }

    /// <summary>Little-endian bytes as floats.</summary>
    public static float[] Floats(ReadOnlySpan<byte> bytes)
    {
        float[] values = new float[bytes.Length / 4];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(i * 4)..]);
        }

        return values;
    }

    private static void WriteVarint(Stream stream, ulong value)
    {
        for (; value > 127; value >>= 7)
        {
            stream.WriteByte((byte)((value & 127) | 128));
        }

        stream.WriteByte((byte)value);
    }
}
