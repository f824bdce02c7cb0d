using TorchSharp;
using UniFace.Faces;
using UniFace.Training.Backbones;
using UniFace.Training.Data;
using UniFace.Training.Distillation;
using UniFace.Training.Export;
using UniFace.Training.FineTuning;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.FineTuning;

/// <summary>
/// A student that starts from the narrowed weights of its teacher gives the teacher's embeddings if it has as many channels, or as many as the
/// teacher needs. Training mode starts from the same function.
/// </summary>
public sealed class NarrowingTests : IDisposable
{
    private const int Size = 16;
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-narrow-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_student_as_wide_as_the_teacher_gives_its_embeddings()
    {
        string teacher = Teacher(0.5, Size);
        using Backbone student = Student(0.5);
        Narrow(teacher, student, null);
        double agreement = Agreement(teacher, student, null);
        Assert.True(agreement > 0.99, $"{agreement}");
    }

    [Fact]
    public void Channels_that_repeat_others_are_left_out_without_a_loss()
    {
        using Backbone small = PrimedBackbone.Create("mobilefacenet", Size, 0.25);
        using Backbone wide = BackboneRegistry.Create(new BackboneSpec("mobilefacenet", 0.5, Size), 1);
        using (IDisposable none = no_grad())
        {
            foreach ((nn.Module from, nn.Module to) in small.modules().Zip(wide.modules()))
            {
                Repeat(from, to);
            }
        }

        wide.eval();
        string teacher = Write(wide, "wide");
        using Backbone student = Student(0.25);
        Narrow(teacher, student, null);
        double agreement = Agreement(teacher, student, null);
        Assert.True(agreement > 0.98, $"{agreement}");
    }

    /// <summary>Makes a layer twice as wide: every channel twice, and half of every weight for each of the two.</summary>
    private static void Repeat(nn.Module from, nn.Module to)
    {
        using DisposeScope scope = NewDisposeScope();
        switch (from, to)
        {
            case (ConvNorm narrow, ConvNorm wide):
                (Tensor weight, Tensor shift) = narrow.Fold();
                long[] shape = wide.Fold().Weight.shape;
                weight = shape[1] == 2 * weight.shape[1] ? cat([weight / 2, weight / 2], 1) : weight;
                (weight, shift) = shape[0] == 2 * weight.shape[0] ? (cat([weight, weight]), cat([shift, shift])) : (weight, shift);
                wide.SetFolded(weight, shift);
                break;
            case (PRelu narrow, PRelu wide):
                wide.Slope.copy_(wide.Slope.shape[0] == narrow.Slope.shape[0] ? narrow.Slope : cat([narrow.Slope, narrow.Slope]));
                break;
            case (EmbeddingHead narrow, EmbeddingHead wide):
                (Tensor linear, Tensor bias) = narrow.Fold();
                wide.SetFolded(linear, bias);
                break;
        }
    }

    [Fact]
    public void The_embeddings_are_projected_to_the_students_size()
    {
        string teacher = Teacher(0.25, 32);
        using Generator draw = new(3);
        using Tensor projection = linalg.qr(randn(32, Size, generator: draw)).Q;
        float[] rows = projection.data<float>().ToArray();
        using Backbone student = Student(0.25);
        Narrow(teacher, student, rows);
        Assert.True(Agreement(teacher, student, rows) > 0.99);
    }

    [Fact]
    public void In_training_mode_it_starts_from_the_same_function()
    {
        using Backbone student = Student(0.25);
        Narrow(Teacher(0.5, Size), student, null);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable none = no_grad();
        Tensor images = Pixels([.. Enumerable.Range(0, 32).Select(Image)]);
        student.eval();
        Tensor expected = nn.functional.normalize(student.forward(images));
        student.train();
        Tensor actual = nn.functional.normalize(student.forward(images));
        double cosine = (expected * actual).sum(1).mean().item<float>();
        Assert.True(cosine > 0.95, $"{cosine}");
    }

    [Theory]
    [InlineData("mobilefacenet", 0.5)]
    [InlineData("iresnet18", 1)]
    public void A_wider_student_and_one_of_another_family_are_refused(string family, double width)
    {
        string teacher = Teacher(0.25, Size);
        using Backbone student = BackboneRegistry.Create(new BackboneSpec(family, width, Size), 1);
        Assert.Contains(
            "must be a mobilefacenet", Assert.Throws<UniFaceException>(() => Narrow(teacher, student, null)).Message, StringComparison.Ordinal);
    }

    /// <summary>Blurred noise of high contrast: closer to photos than white noise.</summary>
    private static RgbImage Image(int seed)
    {
        RgbImage image = new(112, 112);
        new Random(seed).NextBytes(image.Pixels);
        Augmentations.Blur(image, deviation: 2 + (seed % 5));
        Augmentations.Color(image, brightness: 1, contrast: 5, saturation: 1);
        return image;
    }

    private static Tensor Pixels(RgbImage[] images)
    {
        float[] values = new float[images.Length * 112 * 112 * 3];
        for (int i = 0; i < images.Length; i++)
        {
            BackboneInput.Default.Normalization.Apply(images[i].Pixels, values.AsSpan(i * 112 * 112 * 3));
        }

        return tensor(values).view(images.Length, 112, 112, 3).permute(0, 3, 1, 2);
    }

    private static Backbone Student(double width) => BackboneRegistry.Create(new BackboneSpec("mobilefacenet", width, Size), 5);

    private static void Narrow(string teacher, Backbone student, float[]? projection) => Narrowing.Run(
        new TeacherOptions { Package = teacher }, projection, student, 96, i => Image(1000 + i), CancellationToken.None);

    /// <summary>Mean cosine with the teacher's projected embeddings of other images, both about their means, which most of a random network's is.</summary>
    private static double Agreement(string teacher, Backbone student, float[]? projection)
    {
        using DisposeScope scope = NewDisposeScope();
        using StartWeights start = StartWeights.Open(teacher);
        RgbImage[] images = [.. Enumerable.Range(0, 32).Select(Image)];
        using BackboneEmbedder from = new(start.Backbone, flipSum: false, ownsBackbone: false), to = new(student, flipSum: false, ownsBackbone: false);
        Tensor expected = tensor(from.EmbedRaw(images)).view(images.Length, -1), actual = tensor(to.EmbedRaw(images)).view(images.Length, -1);
        expected = projection is null ? expected : expected.mm(tensor(projection).view(-1, Size));
        return nn.functional.cosine_similarity(expected - expected.mean([0]), actual - actual.mean([0])).mean().item<float>();
    }

    private string Teacher(double width, int size)
    {
        using Backbone backbone = PrimedBackbone.Create("mobilefacenet", size, width);
        return Write(backbone, $"teacher-{width}-{size}");
    }

    private string Write(Backbone backbone, string name)
    {
        string package = Path.Combine(folder, name);
        using PackageDraft draft = new(backbone, BackboneRegistry.Manifest(backbone.Spec), package, null);
        draft.Complete(null);
        return package;
    }
}
