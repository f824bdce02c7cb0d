using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using UniFace.Faces;

namespace UniFace.Training.Data;

/// <summary>From bytes of interleaved colours to the planes that a backbone takes; 16 pixels at a time, with the same bits as one at a time.</summary>
internal static class PixelPlanes
{
    private const int Block = 16;

    /// <summary>[mirrored, colour, which 16 of the 48 bytes]: where the block's values of a colour lie; 255 gives 0.</summary>
    private static readonly Vector128<byte>[,,] Places = MakePlaces();

    /// <summary>Writes an image as [3, H, W], red, green, blue, (x - 127.5) / 127.5, mirrored left to right where asked.</summary>
    public static void Write(RgbImage image, bool mirrored, Span<float> planes)
    {
        int width = image.Width;
        int size = width * image.Height;
        int blocks = width / Block;
        for (int y = 0; y < image.Height; y++)
        {
            ReadOnlySpan<byte> row = image.Pixels.AsSpan(3 * y * width, 3 * width);
            for (int color = 0; color < 3; color++)
            {
                Span<float> target = planes.Slice((color * size) + (y * width), width);
                for (int block = 0; block < blocks; block++)
                {
                    Vector128<byte> values = Gather(row.Slice(3 * Block * block, 3 * Block), mirrored ? 1 : 0, color);
                    Normalize(values, target.Slice(mirrored ? width - (Block * (block + 1)) : Block * block, Block));
                }

                for (int x = blocks * Block; x < width; x++)
                {
                    target[mirrored ? width - 1 - x : x] = (row[(3 * x) + color] - 127.5f) / 127.5f;
                }
            }
        }
    }

    private static Vector128<byte> Gather(ReadOnlySpan<byte> pixels, int mirrored, int color)
    {
        ReadOnlySpan<Vector128<byte>> parts = MemoryMarshal.Cast<byte, Vector128<byte>>(pixels);
        return Vector128.Shuffle(parts[0], Places[mirrored, color, 0])
            | Vector128.Shuffle(parts[1], Places[mirrored, color, 1])
            | Vector128.Shuffle(parts[2], Places[mirrored, color, 2]);
    }

    private static void Normalize(Vector128<byte> values, Span<float> target)
    {
        (Vector128<ushort> low, Vector128<ushort> high) = Vector128.Widen(values);
        Store(low, target[..8]);
        Store(high, target[8..]);

        static void Store(Vector128<ushort> half, Span<float> target)
        {
            Vector256<int> numbers = Vector256.Create(Vector128.WidenLower(half), Vector128.WidenUpper(half)).AsInt32();
            Vector256<float> middle = Vector256.Create(127.5f);
            ((Vector256.ConvertToSingle(numbers) - middle) / middle).CopyTo(target);
        }
    }

    private static Vector128<byte>[,,] MakePlaces()
    {
        Vector128<byte>[,,] places = new Vector128<byte>[2, 3, 3];
        byte[] indices = new byte[Block];
        for (int mirrored = 0; mirrored < 2; mirrored++)
        {
            for (int color = 0; color < 3; color++)
            {
                for (int part = 0; part < 3; part++)
                {
                    for (int i = 0; i < Block; i++)
                    {
                        int pixel = mirrored == 0 ? i : Block - 1 - i;
                        int at = (3 * pixel) + color - (Block * part);
                        indices[i] = at is >= 0 and < Block ? (byte)at : byte.MaxValue;
                    }

                    places[mirrored, color, part] = Vector128.Create(indices);
                }
            }
        }

        return places;
    }
}
