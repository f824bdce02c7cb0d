using Google.FlatBuffers;
using UniFace.Vision.TfLite;

namespace UniFace.Vision.Tests.TfLite;

/// <summary>Writes .tflite files: float16 weights behind Dequantize, as MediaPipe's. Numbers of fields are those of the public schema.</summary>
internal sealed class TfLiteBuilder
{
    private readonly List<(int[] Shape, TfLiteType Type, byte[] Data)> tensors = [];
    private readonly List<(TfLiteOperation Operation, int[] Inputs, int Output, Action<FlatBufferBuilder>? Options, int Fields)> steps = [];

    /// <summary>Version of the schema.</summary>
    public int Version { get; init; } = 3;

    /// <summary>An activation; returns its index.</summary>
    public int Activation(params int[] shape) => Add(shape, TfLiteType.Float32, []);

    /// <summary>A weight as float16; returns the index of its float32 value. The values are rounded to float16 in place.</summary>
    public int Weight(float[] values, params int[] shape)
    {
        Half[] halves = Array.ConvertAll(values, value => (Half)value);
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)halves[i];
        }

        int half = Add(shape, TfLiteType.Float16, System.Runtime.InteropServices.MemoryMarshal.AsBytes<Half>(halves).ToArray());
        int full = Activation(shape);
        steps.Add((TfLiteOperation.Dequantize, [half], full, null, 0));
        return full;
    }

    /// <summary>A constant of integers; returns its index.</summary>
    public int Integers(int[] values, params int[] shape) =>
        Add(shape, TfLiteType.Int32, System.Runtime.InteropServices.MemoryMarshal.AsBytes<int>(values).ToArray());

    /// <summary>A step.</summary>
    public void Step(TfLiteOperation operation, int[] inputs, int output, int fields = 0, Action<FlatBufferBuilder>? options = null) =>
        steps.Add((operation, inputs, output, options, fields));

    /// <summary>The options of a convolution or pool: padding, strides, and what follows.</summary>
    public static Action<FlatBufferBuilder> Spatial(bool same, int strideX, int strideY, int third = 0, int fourth = 0) => builder =>
    {
        builder.AddByte(0, (byte)(same ? 0 : 1), 99);
        builder.AddInt(1, strideX, 0);
        builder.AddInt(2, strideY, 0);
        if (third > 0)
        {
            builder.AddInt(3, third, 0);
            builder.AddInt(4, fourth, 0);
        }
    };

    /// <summary>The file, with one input and one output.</summary>
    public byte[] Write(int input, int output)
    {
        FlatBufferBuilder builder = new(1024);
        int empty = Table(builder, 1, _ => { });
        int[] buffers =
        [
            empty,
            .. tensors.Where(t => t.Data.Length > 0).Select(t =>
            {
                int data = Bytes(builder, t.Data);
                return Table(builder, 1, b => b.AddOffset(0, data, 0));
            }),
        ];
        int next = 1;
        int[] written =
        [
            .. tensors.Select(t =>
            {
                int shape = Ints(builder, t.Shape), buffer = t.Data.Length > 0 ? next++ : 0;
                return Table(builder, 4, b =>
                {
                    b.AddOffset(0, shape, 0);
                    b.AddByte(1, (byte)t.Type, 0);
                    b.AddInt(2, buffer, 0);
                });
            }),
        ];
        TfLiteOperation[] operations = [.. steps.Select(step => step.Operation).Distinct()];
        int[] codes = [.. operations.Select(operation => Table(builder, 4, b => b.AddInt(3, (int)operation, 0)))];
        int[] operators =
        [
            .. steps.Select(step =>
            {
                int inputs = Ints(builder, step.Inputs), outputs = Ints(builder, [step.Output]);
                int options = step.Options is null ? 0 : Table(builder, step.Fields, step.Options);
                return Table(builder, 5, b =>
                {
                    b.AddInt(0, Array.IndexOf(operations, step.Operation), -1);
                    b.AddOffset(1, inputs, 0);
                    b.AddOffset(2, outputs, 0);
                    b.AddOffset(4, options, 0);
                });
            }),
        ];
        int tensorList = Offsets(builder, written), inputList = Ints(builder, [input]), outputList = Ints(builder, [output]);
        int list = Offsets(builder, operators);
        int graph = Table(builder, 4, b =>
        {
            b.AddOffset(0, tensorList, 0);
            b.AddOffset(1, inputList, 0);
            b.AddOffset(2, outputList, 0);
            b.AddOffset(3, list, 0);
        });
        int graphs = Offsets(builder, [graph]), codeList = Offsets(builder, codes), bufferList = Offsets(builder, buffers);
        builder.Finish(
            Table(builder, 5, b =>
            {
                b.AddInt(0, Version, 0);
                b.AddOffset(1, codeList, 0);
                b.AddOffset(2, graphs, 0);
                b.AddOffset(4, bufferList, 0);
            }),
            "TFL3");
        return builder.SizedByteArray();
    }

    private int Add(int[] shape, TfLiteType type, byte[] data)
    {
        tensors.Add((shape, type, data));
        return tensors.Count - 1;
    }

    private static int Table(FlatBufferBuilder builder, int fields, Action<FlatBufferBuilder> write)
    {
        builder.StartTable(fields);
        write(builder);
        return builder.EndTable();
    }

    private static int Ints(FlatBufferBuilder builder, int[] values)
    {
        builder.StartVector(4, values.Length, 4);
        foreach (int value in values.Reverse())
        {
            builder.AddInt(value);
        }

        return builder.EndVector().Value;
    }

    private static int Bytes(FlatBufferBuilder builder, byte[] values)
    {
        builder.StartVector(1, values.Length, 16);
        foreach (byte value in values.Reverse())
        {
            builder.AddByte(value);
        }

        return builder.EndVector().Value;
    }

    private static int Offsets(FlatBufferBuilder builder, int[] offsets)
    {
        builder.StartVector(4, offsets.Length, 4);
        foreach (int offset in offsets.Reverse())
        {
            builder.AddOffset(offset);
        }

        return builder.EndVector().Value;
    }
}
