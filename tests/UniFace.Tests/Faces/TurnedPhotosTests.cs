using UniFace.Faces;

namespace UniFace.Tests.Faces;

/// <summary>A rotated photo gives the same face, with a detector that finds upright faces only and with one that takes mouths for eyes.</summary>
public class TurnedPhotosTests
{
    private static readonly FaceLandmarks Drawn = new(new(170, 110), new(230, 112), new(200, 140), new(178, 170), new(222, 171));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_face_is_found_at_every_rotation_of_the_photo(bool mistakes)
    {
        using FacePipeline pipeline = new(new NoDecoder(), new UprightOnly(mistakes));
        RgbImage upright = Photo();
        AlignedFace wanted = pipeline.Align(upright)!;
        Assert.Equal(0, wanted.Face!.TurnedBy);
        for (int turn = 1; turn < 4; turn++)
        {
            RgbImage photo = Turn(upright, turn, out SimilarityTransform transform);
            AlignedFace face = pipeline.Align(photo)!;
            Assert.Equal((360 - (turn * 90)) % 360, face.Face!.TurnedBy);
            foreach ((Point was, Point now) in Points(wanted.Face.Landmarks).Zip(Points(face.Face.Landmarks)))
            {
                Point expected = transform.Apply(was);
                Assert.True(double.Hypot(now.X - expected.X, now.Y - expected.Y) < 2, $"turn {turn}: {now}, expected {expected}");
            }

            double off = wanted.Image.Pixels.Zip(face.Image.Pixels, (a, b) => Math.Abs(a - b)).Average();
            Assert.True(off < 3, $"turn {turn}: the crop differs by {off:F1}");
        }
    }

    [Fact]
    public void A_confident_upright_face_needs_one_detection()
    {
        UprightOnly detector = new(mistakes: true);
        using FacePipeline pipeline = new(new NoDecoder(), detector);
        Assert.NotNull(pipeline.Align(Photo()));
        Assert.Equal(1, detector.Detections);
        Assert.Null(pipeline.Align(new RgbImage(300, 200)));
    }

    private static IEnumerable<Point> Points(FaceLandmarks l) => [l.LeftEye, l.RightEye, l.Nose, l.LeftMouth, l.RightMouth];

    // Eyes red and green, mouth blue and white.
    private static RgbImage Photo()
    {
        RgbImage photo = new(480, 320);
        Spot(photo, Drawn.LeftEye, 255, 0, 0);
        Spot(photo, Drawn.RightEye, 0, 255, 0);
        Spot(photo, Drawn.LeftMouth, 0, 0, 255);
        Spot(photo, Drawn.RightMouth, 255, 255, 255);
        return photo;
    }

    private static void Spot(RgbImage photo, Point at, byte red, byte green, byte blue)
    {
        for (int y = -4; y <= 4; y++)
        {
            for (int x = -4; x <= 4; x++)
            {
                int pixel = ((((int)at.Y + y) * photo.Width) + (int)at.X + x) * 3;
                (photo.Pixels[pixel], photo.Pixels[pixel + 1], photo.Pixels[pixel + 2]) = (red, green, blue);
            }
        }
    }

    private static RgbImage Turn(RgbImage photo, int turn, out SimilarityTransform transform)
    {
        (int w, int h) = (photo.Width - 1, photo.Height - 1);
        (int a, int b, int x, int y) = turn switch { 1 => (0, 1, h, 0), 2 => (-1, 0, w, h), _ => (0, -1, 0, w) };
        transform = new SimilarityTransform(a, b, x, y);
        return ImageWarp.Warp(photo, transform, turn == 2 ? photo.Width : photo.Height, turn == 2 ? photo.Height : photo.Width);
    }

    private sealed class NoDecoder : IImageDecoder
    {
        public RgbImage Decode(ReadOnlyMemory<byte> encoded, string source) => throw new NotSupportedException();
    }

    /// <summary>Finds the face drawn above if it is upright; upside down it takes the mouth for the eyes, less surely, or finds nothing.</summary>
    private sealed class UprightOnly(bool mistakes) : IFaceDetector
    {
        public string Name => "spots";

        public int Detections { get; private set; }

        public IReadOnlyList<DetectedFace> Detect(RgbImage photo)
        {
            Detections++;
            if (Find(photo, p => p[0] > 128 && p[1] < 90 && p[2] < 90) is not Point red
                || Find(photo, p => p[1] > 128 && p[0] < 90 && p[2] < 90) is not Point green
                || Find(photo, p => p[2] > 128 && p[0] < 90 && p[1] < 90) is not Point blue
                || Find(photo, p => p[0] > 128 && p[1] > 128 && p[2] > 128) is not Point white)
            {
                return [];
            }

            bool upright = green.X - red.X > Math.Abs(green.Y - red.Y), upsideDown = red.X - green.X > Math.Abs(green.Y - red.Y);
            FaceLandmarks points = upright
                ? new(red, green, new((red.X + white.X) / 2, (red.Y + white.Y) / 2), blue, white)
                : new(white, blue, new((red.X + white.X) / 2, (red.Y + white.Y) / 2), green, red);
            float side = 2.5f * Math.Max(Math.Abs(green.X - red.X), Math.Abs(green.Y - red.Y));
            return upright || (mistakes && upsideDown)
                ? [new((red.X + white.X - side) / 2, (red.Y + white.Y - side) / 2, side, side, upright ? 0.95f : 0.85f, points)]
                : [];
        }

        public void Dispose()
        {
        }

        private static Point? Find(RgbImage photo, Func<byte[], bool> wanted)
        {
            double x = 0, y = 0;
            int count = 0;
            for (int i = 0; i < photo.Width * photo.Height; i++)
            {
                if (wanted(photo.Pixels[(3 * i)..((3 * i) + 3)]))
                {
                    (x, y, count) = (x + (i % photo.Width), y + (i / photo.Width), count + 1);
                }
            }

            return count == 0 ? null : new Point((float)(x / count), (float)(y / count));
        }
    }
}
