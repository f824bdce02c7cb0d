using UniFace.Data;
using UniFace.Faces;
using UniFace.Packages;
using UniFace.Training.Backbones;
using UniFace.Training.Loop;
using UniFace.Training.Losses;
using UniFace.Training.Runs;
using UniFace.Vision;
using UniFace.Vision.Imaging;

namespace UniFace.Training.Tests;

/// <summary>Three lines train on a folder of aligned faces and give a calibrated package that a recognizer opens.</summary>
public sealed class TrainerFrontDoorTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void From_a_folder_of_aligned_faces_to_a_calibrated_package()
    {
        string data = WriteFaces(people: 24, images: 3);
        List<long> steps = [];
        TrainOptions options = new()
        {
            Data = data,
            Loss = new UnifiedCrossEntropy { Margin = 0.2 },
            Backbone = new BackboneSpec("mobilefacenet", 0.25, 16),
            Epochs = 1,
            Batch = 16,
            ValidationPeople = 0.25,
            LogEvery = 1,
            Threads = 1,
        };
        TrainingRun run;
        CancellationToken stop = TestContext.Current.CancellationToken;
        using (Trainer trainer = Trainer.Create(Path.Combine(folder, "run"), options, new Steps(steps), cancellationToken: stop))
        {
            run = trainer.Run(stop);
        }

        ModelPackage package = run.Export(Path.Combine(folder, "package"), cancellationToken: stop);
        Assert.True(package.IsCalibrated);
        Assert.NotEmpty(steps);
        Assert.Equal(6, run.Result!.HeldOut);
        using FaceRecognizer recognizer = FaceRecognizer.Open(package.Source, new FaceRecognizerOptions { Aligned = true });
        Assert.Equal(package.ContractId, recognizer.ContractId);
        string photo = Directory.EnumerateFiles(data, "*.png", SearchOption.AllDirectories).First();
        Assert.True(recognizer.Verify(photo, photo).IsMatch);
    }

    [Fact]
    public void People_are_held_out_for_the_calibration_unless_the_caller_forbids_it()
    {
        TrainOptions options = new()
        {
            Data = WriteFaces(people: 20, images: 2),
            Loss = new ArcFace(),
            Backbone = new BackboneSpec("mobilefacenet", 0.25, 16),
            Batch = 8,
        };
        using Trainer held = Trainer.Create(Path.Combine(folder, "held"), options, cancellationToken: TestContext.Current.CancellationToken);
        using Trainer all = Trainer.Create(Path.Combine(folder, "all"), options, holdOut: false, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(18, held.Info.People);
        Assert.Equal(20, all.Info.People);
    }

    /// <summary>People without a second image, or with too few to be trained on, are not counted.</summary>
    [Theory]
    [InlineData(20, 0, 0, 0.1)]
    [InlineData(20, 3, 0, 0)]
    [InlineData(20, 0, 1, 0)]
    [InlineData(19, 0, 0, 0)]
    public void The_people_that_are_trained_on_decide_whether_some_are_held_out(int people, int minImages, int maxImages, double share)
    {
        TrainOptions options = new()
        {
            Data = WriteFaces(people, images: 2),
            Loss = new ArcFace(),
            Backbone = new BackboneSpec("mobilefacenet", 0.25, 16),
            MinImages = minImages,
            MaxImages = maxImages,
        };
        using FaceDataset data = options.OpenData();
        Assert.Equal(share, options.HoldOutPeople(data).ValidationPeople);
    }

    [Fact]
    public void A_run_resumes_on_data_that_has_moved_and_on_no_other()
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        string run = Path.Combine(folder, "run"), data = WriteFaces(people: 4, images: 2), moved = Path.Combine(folder, "moved");
        TrainOptions options = new()
        {
            Data = data,
            Loss = new ArcFace(),
            Backbone = new BackboneSpec("mobilefacenet", 0.25, 16),
            Batch = 8,
            Epochs = 1,
            Threads = 1,
        };
        Trainer.Create(run, options, cancellationToken: stop).Dispose();
        Directory.Move(data, moved);
        Assert.Throws<UniFaceException>(() => Trainer.Resume(run, cancellationToken: stop));
        UniFaceException several = Assert.Throws<UniFaceException>(() => Trainer.Resume(run, movedTo: [moved, moved], cancellationToken: stop));
        Assert.Contains("was trained on 1 set, and 2 were given", several.Message, StringComparison.Ordinal);
        using (Trainer trainer = Trainer.Resume(run, movedTo: [moved], cancellationToken: stop))
        {
            Assert.Equal(1, trainer.Run(stop).Result!.Epochs);
        }

        Assert.Equal(moved, RunFolder.ReadInfo(run).Options.Data);
        Assert.Throws<UniFaceException>(() => Trainer.Resume(run, movedTo: [WriteFaces(people: 4, images: 3)], cancellationToken: stop));
    }

    private string WriteFaces(int people, int images)
    {
        string data = Path.Combine(folder, "aligned");
        for (int person = 0; person < people; person++)
        {
            string of = Directory.CreateDirectory(Path.Combine(data, $"person {person:D2}")).FullName;
            for (int i = 0; i < images; i++)
            {
                RgbImage face = new(112, 112);
                new Random(person).NextBytes(face.Pixels);
                new Random(1000 + (person * images) + i).NextBytes(face.Pixels.AsSpan(0, 3 * 112 * 20));
                File.WriteAllBytes(Path.Combine(of, $"{i}.png"), ImageEncoder.Png(face));
            }
        }

        return data;
    }

    private sealed class Steps(List<long> steps) : IProgress<TrainProgress>
    {
        public void Report(TrainProgress value) => steps.Add(value.Step);
    }
}
