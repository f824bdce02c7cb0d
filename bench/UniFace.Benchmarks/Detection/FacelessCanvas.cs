using SkiaSharp;
using UniFace.Faces;

namespace UniFace.Benchmarks.Detection;

/// <summary>Draws photos without a face: text, cloth, textures, emblems, landscapes. Each is a pure function of its number.</summary>
internal static class FacelessCanvas
{
    private static readonly (string Name, Action<SKCanvas, Random, int, int> Draw)[] Kinds =
    [
        ("text", Text), ("cloth", Cloth), ("texture", Texture), ("emblems", Emblems), ("landscape", Landscape), ("street", Street),
    ];

    private static readonly string[] Words =
    [
        "OPEN", "Bakery", "8:30", "Ford", "EXIT", "&", "Oil", "COFFEE", "No. 5", "B8", "oo", "O.O", "Wagon", "100 %", "(o)", "SALE", "Q&A", "@home",
        "Cafe", "WOW",
    ];

    /// <summary>The kind of a canvas.</summary>
    public static string Kind(int number) => Kinds[number % Kinds.Length].Name;

    /// <summary>Draws a canvas.</summary>
    /// <param name="number">Its number, 0 or more.</param>
    public static RgbImage Draw(int number)
    {
        Random random = new(7919 + number);
        (int width, int height) = random.Next(5) switch { 0 => (2400, 1600), 1 => (640, 480), 2 => (1200, 1600), 3 => (1600, 1200), _ => (1024, 768) };
        using SKBitmap bitmap = new(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using SKCanvas canvas = new(bitmap);
        canvas.Clear(Color(random));
        Kinds[number % Kinds.Length].Draw(canvas, random, width, height);
        canvas.Flush();
        return Noise(bitmap, random);
    }

    private static void Text(SKCanvas canvas, Random random, int width, int height)
    {
        using SKPaint paint = new() { IsAntialias = true };
        using SKTypeface typeface = ComposedPhotos.Typeface();
        for (int i = 0, count = random.Next(4, 60); i < count; i++)
        {
            using SKFont font = new(typeface, (float)(height * 0.3 * Math.Pow(random.NextDouble(), 2)) + 14) { Embolden = random.Next(2) == 0 };
            paint.Color = Color(random);
            paint.Style = random.Next(4) == 0 ? SKPaintStyle.Stroke : SKPaintStyle.Fill;
            paint.StrokeWidth = font.Size / 16;
            canvas.Save();
            canvas.Translate(random.Next(width), random.Next(height));
            canvas.RotateDegrees((random.NextSingle() - 0.5f) * (random.Next(3) == 0 ? 180 : 20));
            canvas.DrawText(Words[random.Next(Words.Length)], -font.Size, 0, SKTextAlign.Left, font, paint);
            canvas.Restore();
        }
    }

    private static void Cloth(SKCanvas canvas, Random random, int width, int height)
    {
        // Folds: a sum of waves, lit from the side.
        SKColor color = Color(random);
        (double X, double Y, double Phase, double Size)[] waves =
        [
            .. Enumerable.Range(0, 9).Select(i => (
                (random.NextDouble() - 0.5) * 0.1 * (1 + (i / 3.0)),
                (random.NextDouble() - 0.5) * 0.03 * (1 + (i / 3.0)),
                random.NextDouble() * 7,
                1.0 / (1 + i))),
        ];
        int stripes = random.Next(3) == 0 ? random.Next(12, 60) : 0;
        Fill(canvas, width, height, (x, y) =>
        {
            double slope = waves.Sum(w =>
                w.Size * Math.Cos((w.X * x * 1024 / width) + (w.Y * y * 1024 / width) + w.Phase + (0.4 * Math.Sin(y * 0.01 * w.Size))));
            double bend = waves[0].Size * 20 * Math.Sin((waves[0].X * x) + waves[0].Phase);
            double stripe = stripes > 0 && ((int)(x + bend) / stripes % 2) == 0 ? 0.55 : 1;
            return Shade(color, (0.55 + (0.2 * slope)) * stripe);
        });
    }

    private static void Texture(SKCanvas canvas, Random random, int width, int height)
    {
        float size = random.Next(8, 90);
        SKColor one = Color(random), other = Color(random);
        int kind = random.Next(5);
        using SKPaint paint = new() { IsAntialias = true, Color = one };
        if (kind == 0)
        {
            using SKShader noise = SKShader.CreatePerlinNoiseFractalNoise(0.5f / size, 0.7f / size, 5, random.Next(1000));
            using SKPaint cloud = new() { Shader = noise };
            canvas.DrawRect(0, 0, width, height, cloud);
            return;
        }

        for (float y = 0; y < height + size; y += size)
        {
            for (float x = 0; x < width + size; x += size)
            {
                paint.Color = Shade(((int)(x / size) + (int)(y / size)) % 2 == 0 ? one : other, 0.8 + (random.NextDouble() * 0.4));
                float shift = kind == 1 && (int)(y / size) % 2 == 0 ? size / 2 : 0;
                switch (kind)
                {
                    case 1: canvas.DrawRect(x + shift, y, size * 0.94f, size * 0.9f, paint); break;
                    case 2: canvas.DrawCircle(x, y, size * (0.2f + (0.3f * random.NextSingle())), paint); break;
                    case 3: canvas.DrawLine(x, y, x + (size * 2 * random.NextSingle()), y + size, paint); break;
                    default: canvas.DrawOval(x, y, size * random.NextSingle(), size * 0.4f, paint); break;
                }
            }
        }
    }

    private static void Emblems(SKCanvas canvas, Random random, int width, int height)
    {
        using SKPaint paint = new() { IsAntialias = true };
        for (int i = 0, count = random.Next(3, 30); i < count; i++)
        {
            float x = random.Next(width), y = random.Next(height), radius = random.Next(10, height / 4);
            for (int ring = random.Next(2, 6); ring > 0; ring--)
            {
                paint.Color = Color(random);
                canvas.DrawCircle(x, y, radius * ring / 5, paint);
            }

            paint.Color = Color(random);
            using SKPathBuilder star = new();
            int points = random.Next(4, 9);
            for (int p = 0; p <= 2 * points; p++)
            {
                double angle = Math.PI * p / points, reach = radius * (p % 2 == 0 ? 0.8 : 0.3);
                SKPoint at = new(x + (float)(reach * Math.Sin(angle)), y - (float)(reach * Math.Cos(angle)));
                if (p == 0)
                {
                    star.MoveTo(at);
                }
                else
                {
                    star.LineTo(at);
                }
            }

            using SKPath path = star.Detach();
            canvas.DrawPath(path, paint);
        }
    }

    private static void Landscape(SKCanvas canvas, Random random, int width, int height)
    {
        SKColor sky = new((byte)random.Next(80, 200), (byte)random.Next(120, 220), (byte)random.Next(180, 255));
        Fill(canvas, width, height, (_, y) => Shade(sky, 0.7 + (0.5 * y / height)));
        using SKPaint paint = new() { IsAntialias = true, Color = SKColors.LightYellow };
        canvas.DrawCircle(random.Next(width), height * 0.2f, height * 0.06f, paint);
        for (int hill = 0; hill < 4; hill++)
        {
            double level = 0.35 + (0.15 * hill), phase = random.NextDouble() * 7, wave = 2 + random.Next(5);
            paint.Color = new SKColor((byte)random.Next(30, 130), (byte)random.Next(70, 160), (byte)random.Next(20, 110));
            for (int x = 0; x < width; x++)
            {
                double top = level + (0.07 * Math.Sin(phase + (wave * x / width))) + (0.02 * Math.Sin(phase + (9 * wave * x / width)));
                canvas.DrawLine(x, (float)(height * top), x, height, paint);
            }

            for (int tree = random.Next(12); tree > 0; tree--)
            {
                float x = random.Next(width), y = (float)(height * (level + 0.1)), size = height * (0.02f + (0.1f * random.NextSingle()));
                paint.Color = new SKColor(90, 60, 40);
                canvas.DrawRect(x - (size / 12), y, size / 6, size, paint);
                for (int leaf = 0; leaf < 25; leaf++)
                {
                    paint.Color = new SKColor((byte)random.Next(90), (byte)random.Next(70, 170), (byte)random.Next(80));
                    canvas.DrawCircle(x + (size * (random.NextSingle() - 0.5f)), y + (size * (random.NextSingle() - 0.6f)), size / 6, paint);
                }
            }
        }
    }

    private static void Street(SKCanvas canvas, Random random, int width, int height)
    {
        using SKPaint paint = new() { IsAntialias = true };
        for (float x = 0; x < width;)
        {
            float wide = width * (0.08f + (0.2f * random.NextSingle())), top = height * 0.6f * random.NextSingle();
            paint.Color = Color(random);
            canvas.DrawRect(x, top, wide, height, paint);
            int columns = random.Next(2, 6);
            float pitch = wide / columns;
            SKColor glass = Color(random);
            for (float y = top + (pitch / 2); y < height; y += pitch * 1.4f)
            {
                for (int c = 0; c < columns; c++)
                {
                    paint.Color = Shade(glass, 0.5 + random.NextDouble());
                    canvas.DrawRect(x + (pitch * (c + 0.25f)), y, pitch / 2, pitch * 0.8f, paint);
                }
            }

            // A door and a round sign: two windows above them look like a face from afar.
            paint.Color = Color(random);
            canvas.DrawRect(x + (wide * 0.4f), height * 0.85f, wide * 0.2f, height * 0.15f, paint);
            canvas.DrawCircle(x + (wide * 0.5f), height * 0.78f, wide * 0.08f, paint);
            x += wide;
        }

        for (int car = random.Next(5); car > 0; car--)
        {
            float x = random.Next(width), y = height * 0.93f, size = width * (0.05f + (0.05f * random.NextSingle()));
            paint.Color = Color(random);
            canvas.DrawRoundRect(x, y - (size / 2), size * 2, size / 2, size / 8, size / 8, paint);
            paint.Color = SKColors.Black;
            canvas.DrawCircle(x + (size * 0.4f), y, size / 5, paint);
            canvas.DrawCircle(x + (size * 1.6f), y, size / 5, paint);
        }
    }

    private static void Fill(SKCanvas canvas, int width, int height, Func<int, int, SKColor> color)
    {
        using SKBitmap cells = new((width + 3) / 4, (height + 3) / 4);
        for (int y = 0; y < cells.Height; y++)
        {
            for (int x = 0; x < cells.Width; x++)
            {
                cells.SetPixel(x, y, color(4 * x, 4 * y));
            }
        }

        using SKImage image = SKImage.FromBitmap(cells);
        canvas.DrawImage(image, new SKRect(0, 0, 4 * cells.Width, 4 * cells.Height), new SKSamplingOptions(SKFilterMode.Linear));
    }

    private static SKColor Color(Random random) => random.Next(3) switch
    {
        0 => new SKColor((byte)random.Next(150, 240), (byte)random.Next(100, 190), (byte)random.Next(80, 160)), // skin, wood, brick
        1 => Shade(SKColors.White, random.NextDouble()),
        _ => new SKColor((byte)random.Next(256), (byte)random.Next(256), (byte)random.Next(256)),
    };

    private static SKColor Shade(SKColor color, double factor) =>
        new(Scale(color.Red, factor), Scale(color.Green, factor), Scale(color.Blue, factor));

    private static byte Scale(byte value, double factor) => (byte)Math.Clamp(value * factor, 0, 255);

    private static RgbImage Noise(SKBitmap bitmap, Random random)
    {
        RgbImage image = new(bitmap.Width, bitmap.Height);
        ReadOnlySpan<byte> from = bitmap.GetPixelSpan();
        int strength = random.Next(1, 16);
        for (int p = 0; p < bitmap.Width * bitmap.Height; p++)
        {
            int grain = random.Next(-strength, strength + 1);
            for (int c = 0; c < 3; c++)
            {
                image.Pixels[(3 * p) + c] = (byte)Math.Clamp(from[(4 * p) + c] + grain, 0, 255);
            }
        }

        return image;
    }
}
