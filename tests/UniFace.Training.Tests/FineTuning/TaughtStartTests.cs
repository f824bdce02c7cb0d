using TorchSharp;
using UniFace.Faces;
using UniFace.TestSupport;
using UniFace.Training.Backbones;
using UniFace.Training.Distillation;
using UniFace.Training.Export;
using UniFace.Training.FineTuning;
using UniFace.Training.Loop;
using UniFace.Training.Runs;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.FineTuning;

/// <summary>
/// A fine-tuning of dlib's network to a teacher appends a layer that maps unit vectors: it gives cosines like the teacher's, and survives resuming, the
/// package, and another start from that package.
/// </summary>
[Collection(SerialCollection.Name)]
public sealed class TaughtStartTests : IDisposable
{
    private const int People = 8, Images = 4;
    private readonly string root = Directory.CreateTempSubdirectory("uniface-taught-start-").FullName;
    private readonly ToyDataset data = new(People, Images);
    private readonly LargeDecoder decoder = new();

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void The_map_brings_the_cosines_closer_to_the_teachers_and_its_package_is_a_start_again()
    {
        (StartWeights start, TrainOptions options) = Start();
        using StartWeights opened = start;
        string run = Path.Combine(root, "run");
        Train(run, options);
        (Backbone tuned, RunInfo info) = RunFolder.LoadBackbone(run, best: false);
        using Backbone disposed = tuned;
        Assert.Equal(new BackboneSpec("dlib-resnet-mapped", 1, 8), tuned.Spec);

        float[][] teacher = Teach(options.Teacher!);
        double before = Agreement(Embed(start.Backbone), teacher), after = Agreement(Embed(tuned), teacher);
        Assert.True(after > before + 0.02, $"{before} to {after}");

        string package = Path.Combine(root, "tuned");
        using (PackageDraft draft = new(tuned, info.Options.CreateManifest(), package, null))
        {
            draft.Complete(null);
        }

        foreach (string source in new[] { package, run })
        {
            using StartWeights again = StartWeights.Open(source);
            Assert.Equal((tuned.Spec, tuned.Spec), (again.Backbone.Spec, again.TaughtSpec));
            Assert.True(again.Options.Manifest.FlipSum);
            using BackboneEmbedder expected = new(tuned, ownsBackbone: false), actual = new(again.Backbone, ownsBackbone: false);
            Assert.True(ParityGate.Measure(expected, actual).Cosine > 0.999999);
        }

        // A second map is folded into the layer that is there.
        using StartWeights second = StartWeights.Open(package);
        Train(Path.Combine(root, "second"), options with { Backbone = second.TaughtSpec, FineTune = second.Options });
        using Backbone twice = RunFolder.LoadBackbone(Path.Combine(root, "second"), best: false).Backbone;
        Assert.True(Agreement(Embed(twice), teacher) > after);
    }

    [Fact]
    public void A_killed_run_ends_with_the_same_bits()
    {
        (StartWeights start, TrainOptions options) = Start();
        start.Dispose();
        options = options with { Epochs = 1, CheckpointEvery = 1 };
        string expected = Train(Path.Combine(root, "whole"), options);
        string killed = Path.Combine(root, "killed");
        using (Trainer trainer = Trainer.Create(killed, options, data, decoder: decoder, cancellationToken: TestContext.Current.CancellationToken))
        {
            TrainingEvents dies = new() { Progress = p => throw new InvalidOperationException("killed") };
            Assert.Throws<InvalidOperationException>(() => trainer.Run(dies, TestContext.Current.CancellationToken));
        }

        using Trainer resumed = Trainer.Resume(killed, data, decoder: decoder, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(expected, resumed.Run(null, TestContext.Current.CancellationToken).Result!.Sha256);
    }

    private (StartWeights Start, TrainOptions Options) Start()
    {
        string package = Path.Combine(root, "package"), teacher = Path.Combine(root, "teacher");
        using (Backbone dlib = PrimedBackbone.Create("dlib-resnet", 8))
        using (PackageDraft draft = new(dlib, BackboneRegistry.Manifest(dlib.Spec), package, null))
        {
            draft.Complete(null);
        }

        TestPackage.Write(teacher);
        StartWeights start = StartWeights.Open(package);
        return (start, Toy.Options with
        {
            Backbone = start.TaughtSpec,
            FineTune = start.Options,
            Teacher = Teacher.Resolve(new TeacherOptions { Package = teacher, Cosine = 0 }),
            Epochs = 0,
            Warmup = 0,
            Batch = 8,
            LearningRate = 0.001,
            Threads = 1,
        });
    }

    private string Train(string run, TrainOptions options)
    {
        using Trainer trainer = Trainer.Create(run, options, data, decoder: decoder, cancellationToken: TestContext.Current.CancellationToken);
        return trainer.Run(null, TestContext.Current.CancellationToken).Result!.Sha256;
    }

    private float[][] Teach(TeacherOptions options)
    {
        using Teacher teacher = Teacher.Open(options, DlibTemplate, 8, 1);
        teacher.Prepare(People * Images, Load, keepClean: true, cancellationToken: TestContext.Current.CancellationToken);
        return teacher.Clean;
    }

    private static AlignmentTemplate DlibTemplate => BackboneRegistry.Manifest(new BackboneSpec("dlib-resnet", 1, 8)).CreateTemplate();

    private RgbImage Load(int index) => decoder.Decode(data.Read(index), "");

    private float[][] Embed(Backbone backbone)
    {
        using BackboneEmbedder embedder = new(backbone, ownsBackbone: false);
        return [.. embedder.Embed([.. Enumerable.Range(0, People * Images).Select(Load)]).Chunk(8)];
    }

    /// <summary>Correlation of the cosines of all pairs of images.</summary>
    private static double Agreement(float[][] a, float[][] b)
    {
        using DisposeScope scope = NewDisposeScope();
        return corrcoef(stack([Cosines(a), Cosines(b)]))[0, 1].item<float>();

        static Tensor Cosines(float[][] rows)
        {
            Tensor unit = tensor(rows.SelectMany(row => row).ToArray()).view(rows.Length, -1);
            Tensor pairs = triu_indices(rows.Length, rows.Length, 1);
            return unit.mm(unit.t())[pairs[0], pairs[1]];
        }
    }

    /// <summary>The toy's images in the size of dlib's faces.</summary>
    private sealed class LargeDecoder : IImageDecoder
    {
        public RgbImage Decode(ReadOnlyMemory<byte> encoded, string source)
        {
            RgbImage small = new ToyDecoder().Decode(encoded, source), large = new(150, 150);
            for (int i = 0; i < large.Pixels.Length; i++)
            {
                (int x, int y, int c) = (i / 3 % 150, i / 3 / 150, i % 3);
                large.Pixels[i] = small.Pixels[((((y * 112 / 150) * 112) + (x * 112 / 150)) * 3) + c];
            }

            return large;
        }
    }
}
