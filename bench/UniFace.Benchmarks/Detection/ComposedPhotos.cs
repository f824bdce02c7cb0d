using SkiaSharp;
using UniFace.Faces;
using UniFace.Packages;
using UniFace.Vision.Detection;

namespace UniFace.Benchmarks.Detection;

/// <summary>A face: its center and size in pixels, and how sure it is.</summary>
internal readonly record struct LabelledFace(double X, double Y, double Size, double Score);

/// <summary>A photo and its faces.</summary>
internal sealed record LabelledPhoto(RgbImage Photo, IReadOnlyList<LabelledFace> Faces);

/// <summary>Composes photos whose faces are known.</summary>
internal static class ComposedPhotos
{
    /// <summary>The font of setup.</summary>
    public static SKTypeface Typeface() =>
        UniFaceHome.Find("node_modules/dejavu-fonts-ttf/ttf/DejaVuSans.ttf") is string font ? SKTypeface.FromFile(font) : SKTypeface.Default;

    /// <summary>A large face at the side of a photo.</summary>
    public static LabelledPhoto AtTheSide(int number, IReadOnlyList<LabelledPhoto> faces)
    {
        Random random = new(number);
        RgbImage canvas = FacelessCanvas.Draw((6 * number) + 1 + (number % 5));
        double side = canvas.Height * (0.55 + (0.4 * random.NextDouble()));
        bool left = random.Next(2) == 0;
        return Paste(canvas, [(faces[number % faces.Count], left ? 0.45 * side : canvas.Width - (0.45 * side), canvas.Height - (0.5 * side), side, 0)]);
    }

    /// <summary>Many small faces.</summary>
    public static LabelledPhoto Many(int number, IReadOnlyList<LabelledPhoto> faces)
    {
        RgbImage canvas = FacelessCanvas.Draw((6 * number) + 1 + (number % 5));
        double side = canvas.Width / 8.0;
        int rows = (int)(canvas.Height / side);
        return Paste(canvas, Enumerable.Range(0, 6 * rows).Select(i =>
            (faces[((number * 37) + i) % faces.Count], (1.25 + (1.1 * (i % 6))) * side, (0.5 + (i / 6)) * side, side * 0.9, 0.0)));
    }

    /// <summary>A face turned by any angle.</summary>
    public static LabelledPhoto Turned(int number, IReadOnlyList<LabelledPhoto> faces)
    {
        RgbImage canvas = FacelessCanvas.Draw((6 * number) + 1 + (number % 5));
        return Paste(canvas, [(faces[number % faces.Count], canvas.Width / 2.0, canvas.Height / 2.0, canvas.Height * 0.6, number * 2 * Math.PI / 24)]);
    }

    private static LabelledPhoto Paste(RgbImage canvas, IEnumerable<(LabelledPhoto Face, double X, double Y, double Side, double Angle)> pastes)
    {
        List<LabelledFace> truth = [];
        foreach ((LabelledPhoto face, double x, double y, double side, double angle) in pastes)
        {
            // The crop is a disc, so that no straight edge says where it is.
            SimilarityTransform toCrop = new SearchWindow(x, y, side).To(face.Photo.Width, -angle);
            Photo crop = new(face.Photo);
            SimilarityTransform toCanvas = toCrop.Inverse();
            int left = Math.Max(0, (int)(x - side)), top = Math.Max(0, (int)(y - side)), reach = (int)(2 * side);
            int width = Math.Min(reach, canvas.Width - left), height = Math.Min(reach, canvas.Height - top);
            RgbImage pasted = crop.Warp(toCanvas.Then(new SimilarityTransform(1, 0, -left, -top)), width, height);
            for (int row = 0; row < height; row++)
            {
                for (int column = 0; column < width; column++)
                {
                    if (double.Hypot(column + left - x, row + top - y) < side / 2)
                    {
                        pasted.Pixels.AsSpan(((row * width) + column) * 3, 3).CopyTo(canvas.Pixels.AsSpan((((row + top) * canvas.Width) + column + left) * 3));
                    }
                }
            }

            foreach (LabelledFace known in face.Faces)
            {
                (double atX, double atY) = toCanvas.Apply(known.X, known.Y);
                truth.Add(new LabelledFace(atX, atY, known.Size * toCanvas.Scale, known.Score));
            }
        }

        return new LabelledPhoto(canvas, truth);
    }
}
