using TorchSharp;
using TorchSharp.Modules;
using UniFace.Data;
using UniFace.Faces;
using UniFace.Training.Backbones;
using UniFace.Training.Checkpoints;
using UniFace.Training.Loop;
using UniFace.Training.Losses;
using UniFace.Training.Optimization;
using UniFace.Training.Runs;

namespace UniFace.Training.Tests;

/// <summary>A set in memory: a person is a pattern of colors, an image is the pattern with its own noise.</summary>
internal sealed class ToyDataset : FaceDataset
{
    private readonly byte salt;

    public ToyDataset(int people, int images, byte salt = 0)
    {
        this.salt = salt;
        Source = "toy";
        People = [.. Enumerable.Range(0, people).Select(p => $"person{p:D2}")];
        Samples = [.. Enumerable.Range(0, people * images).Select(i => new FaceSample($"person{i / images:D2}/{i % images}.png", i / images))];
    }

    public override byte[] Read(int index) => [(byte)Samples[index].Label, (byte)index, salt];
}

/// <summary>Draws what <see cref="ToyDataset"/> encodes.</summary>
internal sealed class ToyDecoder : IImageDecoder
{
    public RgbImage Decode(ReadOnlyMemory<byte> encoded, string source)
    {
        (int person, int number) = (encoded.Span[0], encoded.Span[1]);
        RgbImage image = new(112, 112);
        Random noise = new((person * 1000) + number);
        for (int i = 0; i < image.Pixels.Length; i++)
        {
            int x = i / 3 % 112;
            int y = i / 3 / 112;
            double pattern = 128 + (90 * Math.Sin((x * (person + 1) * 0.07) + (i % 3)) * Math.Cos(y * (person + 2) * 0.05));
            image.Pixels[i] = (byte)Math.Clamp(pattern + noise.Next(-30, 30), 0, 255);
        }

        return image;
    }
}

/// <summary>The smallest thing that trains: pooled pixels through one or two linear layers.</summary>
internal sealed class ToyBackbone : Backbone
{
    private readonly Sequential layers;
    private readonly double? half;

    /// <param name="batchNorm">With a batch norm.</param>
    /// <param name="dropout">With dropout.</param>
    /// <param name="half">The embeddings and their gradients pass through float16 and have this factor; null: they do not.</param>
    public ToyBackbone(bool batchNorm = true, bool dropout = false, double? half = null)
        : base(new BackboneSpec("toy", 1, 8))
    {
        this.half = half;
        torch.random.manual_seed(7);
        List<(string, torch.nn.Module<torch.Tensor, torch.Tensor>)> parts =
        [
            ("pool", torch.nn.AdaptiveAvgPool2d(4)),
            ("flat", torch.nn.Flatten()),
            ("fc1", torch.nn.Linear(48, 16)),
        ];
        if (batchNorm)
        {
            parts.Add(("bn", torch.nn.BatchNorm1d(16)));
        }

        if (dropout)
        {
            parts.Add(("drop", torch.nn.Dropout(0.4)));
        }

        parts.Add(("act", torch.nn.PReLU(16)));
        parts.Add(("fc2", torch.nn.Linear(16, 8)));
        layers = torch.nn.Sequential(parts);
        RegisterComponents();
    }

    public override torch.Tensor forward(torch.Tensor input) => half is double factor
        ? (layers.forward(input) * factor).to(torch.ScalarType.Float16).to(torch.ScalarType.Float32)
        : layers.forward(input);
}

/// <summary>Runs of the toy: started, or resumed from the folder's last checkpoint.</summary>
internal static class Toy
{
    public static TrainOptions Options { get; } = new()
    {
        Data = "toy",
        Loss = new UnifiedCrossEntropy(),
        Backbone = new BackboneSpec("toy", 1, 8),
        Epochs = 3,
        Batch = 4,
        LogEvery = 1,
        CheckpointEvery = 2,
        LearningRate = 0.05,
    };

    public static Trainer Open(string folder, TrainOptions options, FaceDataset? data = null, Func<Backbone>? backbone = null)
    {
        data ??= new ToyDataset(6, 5);
        TrainingData prepared = TrainingData.Create(options, data, null, new ToyDecoder());
        RunInfo info = new()
        {
            ToolVersion = "test",
            Started = DateTime.UnixEpoch,
            Options = options,
            DataHash = "",
            People = prepared.Training.People.Count,
            Images = prepared.Training.Samples.Count,
            StepsPerEpoch = (prepared.Loader.BatchesPerEpoch + options.Accumulate - 1) / options.Accumulate,
        };
        TrainingState state = State(options, info.People, backbone);
        string? last = new CheckpointStore(folder).FindLast();
        if (last is not null)
        {
            state.Load(last);
        }

        return new Trainer(new PreparedRun(folder, info, prepared, state, torch.CPU, last is null, [state]));
    }

    public static TrainingState State(TrainOptions options, int people, Func<Backbone>? backbone = null, string runId = "") => new(
        options,
        backbone?.Invoke() ?? new ToyBackbone(),
        options.Loss.CreateHead(people, 8, options.Seed),
        torch.CPU)
    {
        RunId = runId,
        Scale = options.Precision == Precision.Float16 ? new LossScale { GrowthInterval = 4 } : null,
    };
}
