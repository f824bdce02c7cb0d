using UniFace.Faces;

namespace UniFace.Synthetic;

/// <summary>What light and camera do to the finished drawing: light gradient, exposure, white balance, blur, noise.</summary>
internal static class CameraEffects
{
    /// <summary>Applies a scene's light and camera in place; pixels [height, width, 3].</summary>
    public static void Apply(RgbImage image, FaceIdentity person, FaceScene scene, float faceScale)
    {
        byte[] pixels = image.Pixels;
        int width = image.Width, height = image.Height;

        // In pixels of the aligned face, whatever the size of the image.
        int passes = (int)MathF.Round(scene.Blur * Math.Max(1, faceScale / 40f));
        for (int i = 0; i < passes; i++)
        {
            Blur(pixels, 3, width);
            Blur(pixels, 3 * width, height);
        }

        // A camera exposes for the face: dark skin gets more light, so that brightness identifies people less.
        float exposure = MathF.Pow(2, scene.Exposure + (0.6f * (person.Skin - 0.15f)));
        Span<float> gains =
        [
            exposure * (1 + (0.20f * scene.Warmth) - (0.05f * scene.Tint)),
            exposure * (1 + (0.02f * scene.Warmth) + (0.08f * scene.Tint)),
            exposure * (1 - (0.24f * scene.Warmth) - (0.05f * scene.Tint)),
        ];
        (float sin, float cos) = MathF.SinCos(scene.LightAngle);
        FaceRandom random = new(FaceStream.Noise, scene.Grain);
        float slope = 0.45f * scene.LightContrast, noise = scene.Noise * 2.0f / 255;
        for (int y = 0; y < height; y++)
        {
            float v = ((y + 0.5f) / height * 2) - 1;
            for (int x = 0; x < width; x++)
            {
                float u = ((x + 0.5f) / width * 2) - 1;
                float light = 1 + (slope * ((u * cos) + (v * sin)));
                int at = 3 * ((y * width) + x);
                float r = pixels[at] * light * gains[0], g = pixels[at + 1] * light * gains[1], b = pixels[at + 2] * light * gains[2];
                float gray = (0.299f * r) + (0.587f * g) + (0.114f * b);

                // 24 random bits per pixel: grain mostly of brightness, a little of color.
                ulong bits = noise > 0 ? random.Next() : 0;
                float grain = noise * ((bits & 255) + ((bits >> 8) & 255) - 255f);
                pixels[at] = Level(r, gray, scene, grain + (0.4f * noise * (((bits >> 16) & 255) - 127.5f)));
                pixels[at + 1] = Level(g, gray, scene, grain + (0.4f * noise * (((bits >> 24) & 255) - 127.5f)));
                pixels[at + 2] = Level(b, gray, scene, grain + (0.4f * noise * (((bits >> 32) & 255) - 127.5f)));
            }
        }
    }

    private static byte Level(float value, float gray, FaceScene scene, float noise)
    {
        float v = gray + ((value - gray) * scene.Saturation);
        v = 127.5f + ((v - 127.5f) * scene.Contrast);

        // A shoulder instead of a hard clip at the light end.
        v = v > 210 ? 210 + (45 * (1 - MathF.Exp(-(v - 210) / 45))) : v;
        return (byte)Math.Clamp(v + noise + 0.5f, 0, 255);
    }

    /// <summary>One pass of [1 2 1] / 4 along lines of <paramref name="count"/> pixels that are <paramref name="step"/> bytes apart.</summary>
    private static void Blur(byte[] pixels, int step, int count)
    {
        byte[] source = [.. pixels];
        for (int line = 0; line < pixels.Length; line += step * count)
        {
            for (int at = 0; at < count; at++)
            {
                int before = at > 0 ? step : 0, after = at < count - 1 ? step : 0;
                for (int i = line + (at * step); i < line + ((at + 1) * step); i++)
                {
                    pixels[i] = (byte)((source[i - before] + (2 * source[i]) + source[i + after] + 2) >> 2);
                }
            }
        }
    }
}
