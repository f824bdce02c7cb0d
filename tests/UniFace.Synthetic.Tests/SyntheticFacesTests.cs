using CsCheck;
using UniFace.Faces;
using UniFace.Vision.Imaging;

namespace UniFace.Synthetic.Tests;

/// <summary>The same seed draws the same people and pixels; people differ from each other more than the images of one person.</summary>
public class SyntheticFacesTests
{
    private static readonly FaceScene Portrait = new();
    private static readonly Gen<(long Seed, int Person, int Image)> Keys = Gen.Select(Gen.Long[0, 1000], Gen.Int[0, 5000], Gen.Int[0, 200]);

    [Fact]
    public void The_same_seed_draws_the_same_pixels_whatever_was_drawn_before() => Keys.Sample(
        key =>
        {
            SyntheticFace first = new SyntheticFaces(key.Seed).Aligned(key.Person, key.Image);
            SyntheticFaces other = new(key.Seed);
            other.Photo(key.Person + 1, 0, 96, 120);
            SyntheticFace second = other.Aligned(key.Person, key.Image);
            Assert.Equal(first.Image.Pixels, second.Image.Pixels);
            Assert.Equal(first.Landmarks, second.Landmarks);
        },
        iter: 20);

    [Fact]
    public void Another_seed_invents_other_people() =>
        Assert.NotEqual(FaceVector.Describe(new FaceIdentity(1, 0)), FaceVector.Describe(new FaceIdentity(2, 0)));

    [Fact]
    public void No_two_of_five_hundred_people_are_alike()
    {
        float[][] people = [.. Enumerable.Range(0, 500).Select(i => FaceVector.Describe(new FaceIdentity(1, i)))];
        double nearest = double.MaxValue;
        for (int i = 0; i < people.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                nearest = Math.Min(nearest, people[i].Zip(people[j], (a, b) => (a - b) * (double)(a - b)).Sum());
            }
        }

        Assert.True(Math.Sqrt(nearest) > 0.5, $"two people are only {Math.Sqrt(nearest):F3} apart");
    }

    [Fact]
    public void The_values_of_a_person_are_in_the_ranges_that_are_documented() => Gen.Select(Gen.Long[0, 1000], Gen.Int[0, 100_000]).Sample(
        key =>
        {
            float[] vector = FaceVector.Describe(new FaceIdentity(key.Item1, key.Item2));
            Assert.Equal(46, vector.Length);
            Assert.All(vector, v => Assert.InRange(v, -0.001f, 1.001f));
        },
        iter: 300);

    [Fact]
    public void A_person_stays_the_same_from_image_to_image_and_the_images_differ()
    {
        SyntheticFaces faces = new(3);
        FaceIdentity person = faces.Identity(7);
        Assert.Equal(FaceVector.Describe(person), FaceVector.Describe(faces.Identity(7)));
        Assert.NotEqual(faces.Scene(7, 0), faces.Scene(7, 1));
        Assert.True(Difference(faces.Aligned(7, 0).Image, faces.Aligned(7, 1).Image) > 5);
        Assert.Equal(FaceVector.Describe(person), FaceVector.Describe(faces.Identity(7)));
    }

    [Fact]
    public void The_images_of_a_person_differ_less_with_less_variation()
    {
        double Spread(float variation)
        {
            SyntheticFaces faces = new(3, variation);
            return Enumerable.Range(0, 12).Average(i => Difference(faces.Aligned(i, 0).Image, faces.Aligned(i, 1).Image, face: true));
        }

        double none = Spread(0), half = Spread(0.5f), full = Spread(1);
        Assert.True(none < 3 && none < half && half < full, $"{none:F1}, {half:F1}, {full:F1}");
    }

    [Fact]
    public void Two_people_in_the_same_scene_look_different() => Gen.Int[0, 3000].Sample(
        i =>
        {
            SyntheticFaces faces = new(5);
            RgbImage a = FaceRenderer.Aligned(faces.Identity(i), Portrait).Image;
            RgbImage b = FaceRenderer.Aligned(faces.Identity(i + 1), Portrait).Image;
            Assert.True(Difference(a, b) > 3);
        },
        iter: 30);

    [Fact]
    public void The_landmarks_of_a_photo_lie_in_it_and_in_the_order_of_a_face() => Keys.Sample(
        key =>
        {
            SyntheticFace photo = new SyntheticFaces(key.Seed).Photo(key.Person, key.Image, 160, 200);
            FaceLandmarks l = photo.Landmarks;
            Assert.All(new[] { l.LeftEye, l.RightEye, l.Nose, l.LeftMouth, l.RightMouth }, p =>
            {
                Assert.InRange(p.X, 0, photo.Image.Width - 1);
                Assert.InRange(p.Y, 0, photo.Image.Height - 1);
            });
            Assert.True(l.LeftEye.X < l.RightEye.X && l.LeftMouth.X < l.RightMouth.X && l.LeftEye.Y < l.LeftMouth.Y && l.RightEye.Y < l.RightMouth.Y);
        },
        iter: 60);

    [Fact]
    public void An_aligned_face_without_detector_errors_needs_no_further_alignment() => Keys.Sample(
        key =>
        {
            SyntheticFaces faces = new(key.Seed);
            FaceScene scene = faces.Scene(key.Person, key.Image) with { CropShiftX = 0, CropShiftY = 0, CropTurn = 0, CropScale = 1 };
            SimilarityTransform left = new CropAligner().Fit(FaceRenderer.Aligned(faces.Identity(key.Person), scene).Landmarks);
            Assert.Equal(1, left.A, 1e-3);
            Assert.Equal(0, left.B, 1e-3);
            Assert.Equal(0, left.Tx, 0.1);
            Assert.Equal(0, left.Ty, 0.1);
        },
        iter: 60);

    [Fact]
    public void The_landmarks_of_frontal_faces_are_within_six_pixels_of_the_template()
    {
        FaceLandmarks target = AlignmentTemplate.ArcFace112.Landmarks;
        double worst = 0;
        for (int i = 0; i < 50; i++)
        {
            FaceLandmarks l = FaceRenderer.Aligned(new FaceIdentity(9, i), Portrait).Landmarks;
            double[] distances =
            [
                Apart(l.LeftEye, target.LeftEye), Apart(l.RightEye, target.RightEye), Apart(l.Nose, target.Nose),
                Apart(l.LeftMouth, target.LeftMouth), Apart(l.RightMouth, target.RightMouth),
            ];
            worst = Math.Max(worst, distances.Average());
        }

        Assert.True(worst < 6, $"on average {worst:F1} pixels off the template");
    }

    [Fact]
    public void A_crop_equals_the_photo_aligned_by_its_landmarks() => Gen.Int[0, 2000].Sample(
        i =>
        {
            SyntheticFaces faces = new(11);
            FaceScene exact = faces.Scene(i, 0) with { CropShiftX = 0, CropShiftY = 0, CropTurn = 0, CropScale = 1 };
            FaceScene scene = exact with { Noise = 0, Blur = 0, LightContrast = 0, Occlusion = Occlusion.None };
            SyntheticFace photo = FaceRenderer.Photo(faces.Identity(i), scene, 320, 400);
            RgbImage cut = new CropAligner().Align(photo.Image, new DetectedFace(0, 0, 320, 400, 1, photo.Landmarks)).Image;
            RgbImage drawn = FaceRenderer.Aligned(faces.Identity(i), scene).Image, other = FaceRenderer.Aligned(faces.Identity(i + 1), scene).Image;
            double same = Difference(cut, drawn, face: true);
            Assert.True(same < 10, $"person {i}: the crop is {same:F1} gray levels off");
            Assert.True(same < Difference(cut, other, face: true));
        },
        iter: 20);

    [Fact]
    public void People_can_be_told_apart_but_not_by_the_color_of_their_images()
    {
        const int People = 20, Images = 8;
        SyntheticFaces faces = new(1);
        RgbImage[] images = [.. Enumerable.Range(0, People * Images).Select(i => faces.Aligned(i / Images, i % Images).Image)];
        double byColor = NearestNeighbor(images, Images, MeanColor), byShape = NearestNeighbor(images, Images, Edges);
        Assert.True(byColor < 0.30, $"the mean color alone finds {byColor:P0}");
        Assert.True(byShape > 0.30 && byShape > byColor + 0.1, $"coarse shapes find only {byShape:P0}, color {byColor:P0}");
    }

    [Theory]
    [InlineData(nameof(Occlusion.None))]
    [InlineData(nameof(Occlusion.Glasses))]
    [InlineData(nameof(Occlusion.Sunglasses))]
    [InlineData(nameof(Occlusion.Scarf))]
    [InlineData(nameof(Occlusion.Hand))]
    [InlineData(nameof(Occlusion.Bars))]
    [InlineData(nameof(Occlusion.Hat))]
    public void Every_occlusion_changes_the_image(string name)
    {
        Occlusion occlusion = Enum.Parse<Occlusion>(name);
        FaceIdentity person = new FaceIdentity(1, 4);
        FaceScene scene = Portrait with { Grain = 5, Yaw = 0.5f, Pitch = -0.3f };
        double change = Difference(FaceRenderer.Aligned(person, scene).Image, FaceRenderer.Aligned(person, scene with { Occlusion = occlusion }).Image);
        Assert.Equal(occlusion != Occlusion.None, change > 0.3);
    }

    [Fact]
    public void A_written_set_has_one_folder_per_person_and_images_that_decode()
    {
        string folder = Directory.CreateTempSubdirectory("uniface-faces").FullName;
        try
        {
            int written = 0;
            new SyntheticFaces(2).Write(folder, 3, 2, 2, written: () => Interlocked.Increment(ref written));
            Assert.Equal(4, written);
            Assert.Equal(["person-0003", "person-0004"], Directory.GetDirectories(folder).Select(d => Path.GetFileName(d)!).Order());
            string path = Path.Combine(folder, "person-0004", "001.jpg");
            RgbImage read = new SkiaImageDecoder().Decode(File.ReadAllBytes(path), path);
            Assert.True(Difference(read, new SyntheticFaces(2).Aligned(4, 1).Image) < 4);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double NearestNeighbor(RgbImage[] images, int imagesPerPerson, Func<RgbImage, double[]> describe)
    {
        double[][] features = [.. images.Select(describe)];
        int right = 0;
        for (int i = 0; i < features.Length; i++)
        {
            int best = Enumerable.Range(0, features.Length).Where(j => j != i).MinBy(j => features[i].Zip(features[j], (a, b) => (a - b) * (a - b)).Sum());
            right += best / imagesPerPerson == i / imagesPerPerson ? 1 : 0;
        }

        return right / (double)features.Length;
    }

    private static double[] MeanColor(RgbImage image) =>
        [.. Enumerable.Range(0, 3).Select(c => Enumerable.Range(0, image.Width * image.Height).Average(i => (double)image.Pixels[(3 * i) + c]))];

    // Gray in blocks of 4x4 around the face, without mean and contrast: light and color are gone, coarse shape stays.
    private static double[] Edges(RgbImage image)
    {
        List<double> blocks = [];
        for (int y = 24; y < 104; y += 4)
        {
            for (int x = 16; x < 96; x += 4)
            {
                double sum = 0;
                for (int k = 0; k < 16; k++)
                {
                    int at = 3 * (((y + (k / 4)) * image.Width) + x + (k % 4));
                    sum += image.Pixels[at] + image.Pixels[at + 1] + image.Pixels[at + 2];
                }

                blocks.Add(sum);
            }
        }

        double mean = blocks.Average(), deviation = Math.Sqrt(blocks.Average(b => (b - mean) * (b - mean)));
        return [.. blocks.Select(b => (b - mean) / deviation)];
    }

    private static double Difference(RgbImage a, RgbImage b, bool face = false)
    {
        double sum = 0;
        int count = 0;
        for (int y = face ? 36 : 0; y < (face ? 96 : a.Height); y++)
        {
            for (int i = 3 * ((y * a.Width) + (face ? 36 : 0)); i < 3 * ((y * a.Width) + (face ? 78 : a.Width)); i++)
            {
                sum += Math.Abs(a.Pixels[i] - b.Pixels[i]);
                count++;
            }
        }

        return sum / count;
    }

    private static double Apart(Point a, Point b) => Math.Sqrt(((a.X - b.X) * (a.X - b.X)) + ((a.Y - b.Y) * (a.Y - b.Y)));
}
