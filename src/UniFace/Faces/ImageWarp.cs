namespace UniFace.Faces;

/// <summary>Resamples an image through a similarity transform.</summary>
internal static class ImageWarp
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
        byte[] pixels = output.Pixels;
        Vector128<float> half = Vector128.Create(0.5f);
        float share = 1f / (samples * samples);
        int at = 0;
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++, at += 3)
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

                Vector128<int> rounded = Vector128.ConvertToInt32((sum * share) + half);
                (pixels[at], pixels[at + 1], pixels[at + 2]) = ((byte)rounded[0], (byte)rounded[1], (byte)rounded[2]);
            }
        }

        return output;
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

    // Reads four bytes at once: the pixel and the first byte of the next one.
    private static Vector128<float> Pixel(ReadOnlySpan<byte> bytes) => Vector128.ConvertToSingle(
        Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(BinaryPrimitives.ReadUInt32LittleEndian(bytes)).AsByte())).AsInt32());

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
