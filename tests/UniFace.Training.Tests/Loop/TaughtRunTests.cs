using UniFace.TestSupport;
using UniFace.Training.Data;
using UniFace.Training.Distillation;
using UniFace.Training.Loop;
using UniFace.Training.Runs;

namespace UniFace.Training.Tests.Loop;

/// <summary>
/// A run with a teacher learns its embeddings, with labels and without. One that is killed ends with the bits of one that was not, as does the same
/// run again, whether the teacher's embeddings are computed once or for each batch.
/// </summary>
[Collection(SerialCollection.Name)]
public sealed class TaughtRunTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("uniface-taught-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Theory]
    [InlineData(TeacherView.Clean, 1)]
    [InlineData(TeacherView.Clean, 0)]
    [InlineData(TeacherView.Augmented, 0)]
    public void A_killed_run_ends_with_the_same_bits(TeacherView view, double loss)
    {
        TrainOptions options = Options(view, loss);
        using Trainer whole = Toy.Open(Path.Combine(root, "whole"), options);
        TrainResult expected = whole.Run(null, TestContext.Current.CancellationToken).Result!;
        using (Trainer again = Toy.Open(Path.Combine(root, "again"), options))
        {
            Assert.Equal(expected.Sha256, again.Run(null, TestContext.Current.CancellationToken).Result!.Sha256);
        }

        TrainResult? result = null;
        for (int kills = 0; result is null; kills++)
        {
            using Trainer trainer = Toy.Open(Path.Combine(root, "killed"), options);
            long dies = trainer.Step + 3;
            try
            {
                result = trainer.Run(
                    new TrainingEvents { Progress = p => Die(p.Metrics.Step == dies) }, TestContext.Current.CancellationToken).Result;
            }
            catch (InvalidOperationException e) when (e.Message == "killed")
            {
                Assert.True(kills < 20);
            }
        }

        Assert.Equal(expected.Sha256, result.Sha256);
    }

    [Fact]
    public void The_embeddings_come_closer_to_the_teachers_without_any_label()
    {
        using Trainer trainer = Toy.Open(Path.Combine(root, "run"), Options(TeacherView.Clean, loss: 0) with { Epochs = 20, LearningRate = 0.02 });
        List<EpochMetrics> epochs = [];
        trainer.Run(new TrainingEvents { EpochEnded = epochs.Add }, TestContext.Current.CancellationToken);
        Assert.True(epochs[^1].TargetCosine > epochs[0].TargetCosine + 0.3, $"{epochs[0].TargetCosine} to {epochs[^1].TargetCosine}");
        Assert.True(epochs[^1].Loss < 0.7 * epochs[0].Loss);
    }

    [Fact]
    public void A_run_reports_that_the_teacher_embeds_each_image_once()
    {
        List<int> prepared = [];
        using Trainer trainer = Toy.Open(Path.Combine(root, "run"), Options(TeacherView.Clean, loss: 0) with { Epochs = 2 });
        trainer.Run(new TrainingEvents { Preparing = (_, done, _) => prepared.Add(done) }, TestContext.Current.CancellationToken);
        Assert.Equal(trainer.Info.Images, prepared.Sum());
    }

    [Fact]
    public void A_student_with_smaller_embeddings_learns_their_projection_and_one_with_larger_ones_is_refused()
    {
        TeacherOptions options = Options(TeacherView.Clean, 0).Teacher!;
        ToyDataset data = new(6, 5);
        ToyDecoder decoder = new();
        Faces.AlignmentTemplate template = Faces.AlignmentTemplate.ArcFace112;
        using Teacher whole = Teacher.Open(options, template, 8, 1), small = Teacher.Open(options, template, 6, 1);
        foreach (Teacher teacher in new[] { whole, small })
        {
            teacher.Prepare(30, i => decoder.Decode(data.Read(i), ""), cancellationToken: TestContext.Current.CancellationToken);
        }

        int[] all = [.. Enumerable.Range(0, 30)];
        using TorchSharp.torch.Tensor first = whole.CreateTargets(all, []), second = small.CreateTargets(all, []);
        float[][] full = [.. first.data<float>().ToArray().Chunk(8)], projected = [.. second.data<float>().ToArray().Chunk(6)];
        Assert.All(projected, row => Assert.Equal(1, row.Sum(v => v * v), 1e-5));
        double worst = (from i in all from j in all select Math.Abs(Dot(full[i], full[j]) - Dot(projected[i], projected[j]))).Max();
        Assert.True(worst < 0.1, $"a cosine changed by {worst}");
        UniFaceException e = Assert.Throws<UniFaceException>(() => Teacher.Open(options, template, 9, 1));
        Assert.Contains("embedding size of 8 or less", e.Message, StringComparison.Ordinal);

        static double Dot(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();
    }

    private TrainOptions Options(TeacherView view, double loss)
    {
        string package = Path.Combine(root, "teacher");
        if (!Directory.Exists(package))
        {
            TestPackage.Write(package);
        }

        TeacherOptions teacher = Teacher.Resolve(new TeacherOptions { Package = package, View = view, Loss = loss });
        return Toy.Options with
        {
            Teacher = teacher,
            Threads = 1,
            Augment = view == TeacherView.Augmented ? new AugmentOptions { Warp = 0.5, Mix = 0.5, Color = 0.3 } : AugmentOptions.Default,
        };
    }

    private static void Die(bool now)
    {
        if (now)
        {
            throw new InvalidOperationException("killed");
        }
    }
}
