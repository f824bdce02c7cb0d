namespace UniFace.Faces;

/// <summary>Resamples an image through a similarity transform.</summary>
public static class ImageWarp
{
    private const int MaxSamples = 16;

    /// <summary>
    /// A new image whose pixel (x, y) is the photo at <paramref name="photoToOutput"/>'s inverse of (x, y): bilinear, black or the nearest pixel outside.
    /// If the photo is reduced, each output pixel is the mean of a grid of samples, which prevents aliasing; otherwise the grid is one sample,
    /// and the identity returns the photo exactly.
    /// </summary>
    /// <param name="photo">The photo.</param>
    /// <param name="photoToOutput">From pixels of the photo to pixels of the output.</param>
    /// <param name="width">Width of the output in pixels.</param>
    /// <param name="height">Height of the output in pixels.</param>
    /// <param name="antiAlias">False uses one sample per pixel at any scale, like OpenCV's warpAffine.</param>
    /// <param name="border">The pixels outside of the photo.</param>
    public static RgbImage Warp(
        RgbImage photo, SimilarityTransform photoToOutput, int width, int height, bool antiAlias = true, CropBorder border = CropBorder.Black)
    {
        RgbImage output = new(width, height);
        SimilarityTransform inverse = photoToOutput.Inverse();
        int samples = antiAlias ? (int)Math.Clamp(Math.Round(inverse.Scale), 1, MaxSamples) : 1;
        if (samples == 1 && photo.Width > 1 && photo.Height > 1)
        {
            for (int y = 0; y < height; y++)
            {
                Row(photo, inverse, output, y, border);
            }

            return output;
        }

        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                SetPixel(photo, inverse, output, x, y, samples, border);
            }
        }

        return output;
    }

    /// <summary>One sample per pixel: as <see cref="SetPixel"/>, to the bit, but four pixels at a time where all of them are in the photo.</summary>
    private static void Row(RgbImage photo, SimilarityTransform inverse, RgbImage output, int y, CropBorder border)
    {
        byte[] pixels = output.Pixels;
        ref byte source = ref MemoryMarshal.GetArrayDataReference(photo.Pixels);
        int stride = photo.Width * 3, at = y * output.Width * 3;
        double acrossY = inverse.B * y, downY = inverse.A * y;
        Vector128<float> right = Vector128.Create((float)(photo.Width - 1)), bottom = Vector128.Create((float)(photo.Height - 1));
        Vector128<int> lastLeft = Vector128.Create(photo.Width - 2), lastTop = Vector128.Create(photo.Height - 2);
        Vector128<byte> dropFourth = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255);
        for (int x = 0; x < output.Width; x += 4, at += 12)
        {
            Vector128<double> first = Vector128.Create(x, x + 1.0), second = Vector128.Create(x + 2.0, x + 3.0);
            Vector128<float> fromX = Vector128.Narrow(AcrossAt(first), AcrossAt(second)), fromY = Vector128.Narrow(DownAt(first), DownAt(second));
            if (border == CropBorder.Replicate)
            {
                fromX = Vector128.Min(Vector128.Max(fromX, Vector128<float>.Zero), right);
                fromY = Vector128.Min(Vector128.Max(fromY, Vector128<float>.Zero), bottom);
            }

            Vector128<float> inside = Vector128.GreaterThanOrEqual(fromX, Vector128<float>.Zero) & Vector128.LessThanOrEqual(fromX, right)
                & Vector128.GreaterThanOrEqual(fromY, Vector128<float>.Zero) & Vector128.LessThanOrEqual(fromY, bottom);
            if (inside.AsInt32() != Vector128<int>.AllBitsSet || x + 4 > output.Width || at + 16 > pixels.Length)
            {
                for (int i = x; i < Math.Min(x + 4, output.Width); i++)
                {
                    SetPixel(photo, inverse, output, i, y, 1, border);
                }

                continue;
            }

            Vector128<int> left = Vector128.Min(Vector128.ConvertToInt32(fromX), lastLeft), top = Vector128.Min(Vector128.ConvertToInt32(fromY), lastTop);
            Vector128<float> fx = fromX - Vector128.ConvertToSingle(left), fy = fromY - Vector128.ConvertToSingle(top);
            Vector128<float> restX = Vector128<float>.One - fx, restY = Vector128<float>.One - fy;
            Vector128<int> offset = (top * stride) + (left * 3);
            Weights weights = new(restX * restY, fx * restY, restX * fy, fx * fy);
            Vector128<ushort> low = Vector128.Narrow(Blend(ref source, stride, offset, weights, 0), Blend(ref source, stride, offset, weights, 1));
            Vector128<ushort> high = Vector128.Narrow(Blend(ref source, stride, offset, weights, 2), Blend(ref source, stride, offset, weights, 3));

            // Writes 16 bytes; the next pixels overwrite the last four.
            Vector128.Shuffle(Vector128.Narrow(low, high), dropFourth).CopyTo(pixels, at);
        }

        Vector128<double> AcrossAt(Vector128<double> u) => (u * inverse.A) - Vector128.Create(acrossY) + Vector128.Create(inverse.Tx);

        Vector128<double> DownAt(Vector128<double> u) => (u * inverse.B) + Vector128.Create(downY) + Vector128.Create(inverse.Ty);
    }

    private readonly ref struct Weights(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
    {
        public readonly Vector128<float> A = a, B = b, C = c, D = d;
    }

    /// <summary>The pixel between the four at an offset in the photo, which must be at most two from its right and bottom edges.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Blend(ref byte source, int stride, Vector128<int> offset, Weights weights, int i)
    {
        ref byte a = ref Unsafe.Add(ref source, offset[i]), c = ref Unsafe.Add(ref a, stride);

        // Four bytes from the last of the left pixel, so that nothing is read behind the last pixel of the photo.
        uint b = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref a, 2)) >> 8, d = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref c, 2)) >> 8;
        Vector128<float> sum = (weights.A[i] * Pixel(Unsafe.ReadUnaligned<uint>(ref a))) + (weights.B[i] * Pixel(b))
            + (weights.C[i] * Pixel(Unsafe.ReadUnaligned<uint>(ref c))) + (weights.D[i] * Pixel(d));
        return Vector128.ConvertToInt32(sum + Vector128.Create(0.5f)).AsUInt32();
    }

    private static void SetPixel(RgbImage photo, SimilarityTransform inverse, RgbImage output, int x, int y, int samples, CropBorder border)
    {
        Vector128<float> sum = Vector128<float>.Zero; // R, G, B and a value that is not used
        for (int j = 0; j < samples; j++)
        {
            double v = y + (((j + 0.5) / samples) - 0.5);
            for (int i = 0; i < samples; i++)
            {
                double u = x + (((i + 0.5) / samples) - 0.5);
                (double fromX, double fromY) = inverse.Apply(u, v);
                if (border == CropBorder.Replicate)
                {
                    (fromX, fromY) = (double.ClampNative(fromX, 0, photo.Width - 1), double.ClampNative(fromY, 0, photo.Height - 1));
                }

                sum = AddSample(sum, photo, (float)fromX, (float)fromY);
            }
        }

        int at = ((y * output.Width) + x) * 3;
        Vector128<int> rounded = Vector128.ConvertToInt32((sum * (1f / (samples * samples))) + Vector128.Create(0.5f));
        (output.Pixels[at], output.Pixels[at + 1], output.Pixels[at + 2]) = ((byte)rounded[0], (byte)rounded[1], (byte)rounded[2]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> AddSample(Vector128<float> sum, RgbImage photo, float x, float y)
    {
        int stride = photo.Width * 3;
        Vector128<float> a, b, c, d;
        float fx, fy;
        if (x >= 0 && y >= 0 && x < photo.Width - 1 && y < photo.Height - 1 && ((int)y * stride) + ((int)x * 3) + stride + 7 <= photo.Pixels.Length)
        {
            (int left, int top) = ((int)x, (int)y);
            (fx, fy) = (x - left, y - top);
            ReadOnlySpan<byte> four = photo.Pixels.AsSpan((top * stride) + (left * 3), stride + 7);
            (a, b, c, d) = (Pixel(four), Pixel(four[3..]), Pixel(four[stride..]), Pixel(four[(stride + 3)..]));
        }
        else if (x > -1 && y > -1 && x < photo.Width && y < photo.Height)
        {
            (int left, int top) = ((int)MathF.Floor(x), (int)MathF.Floor(y));
            (fx, fy) = (x - left, y - top);
            (a, b) = (PixelOrBlack(photo, left, top), PixelOrBlack(photo, left + 1, top));
            (c, d) = (PixelOrBlack(photo, left, top + 1), PixelOrBlack(photo, left + 1, top + 1));
        }
        else
        {
            return sum; // Outside, as is NaN.
        }

        return sum + ((1 - fx) * (1 - fy) * a) + (fx * (1 - fy) * b) + ((1 - fx) * fy * c) + (fx * fy * d);
    }

    // Four bytes at once: the pixel and the first byte of the next one.
    private static Vector128<float> Pixel(ReadOnlySpan<byte> bytes) => Pixel(BinaryPrimitives.ReadUInt32LittleEndian(bytes));

    private static Vector128<float> Pixel(uint bytes) => Vector128.ConvertToSingle(
        Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(bytes).AsByte())).AsInt32());

    private static Vector128<float> PixelOrBlack(RgbImage photo, int x, int y)
    {
        if ((uint)x >= (uint)photo.Width || (uint)y >= (uint)photo.Height)
        {
            return Vector128<float>.Zero;
        }

        ReadOnlySpan<byte> pixel = photo.Pixels.AsSpan((y * photo.Width + x) * 3, 3);
        return Vector128.Create(pixel[0], pixel[1], pixel[2], 0f);
    }
}
