using TorchSharp;
using TorchSharp.Modules;
using UniFace.Training.Backbones;
using UniFace.Training.Backward;
using UniFace.Training.Runtime;
using static TorchSharp.torch;
using BatchNorm = UniFace.Training.Backbones.BatchNorm;

namespace UniFace.Training.Tests.Backward;

/// <summary>
/// Every backbone family gives the same embeddings and gradients on both gradient engines: the tape with its fused kernels is no further from
/// float64 than autograd in float32.
/// </summary>
[Collection(SerialCollection.Name)]
public class GradientEngineTests
{
    /// <summary>The widths give channel counts that the kernels take (16, 32, 64 ...) and some that they do not (19, 38 ...).</summary>
    [Theory]
    [InlineData("mobilefacenet", 0.5)]
    [InlineData("mobilefacenet", 0.3)]
    [InlineData("iresnet18", 1)]
    [InlineData("efficientnet-b0", 1)]
    public void Every_family_has_the_embeddings_gradients_and_buffers_of_autograd(string name, double width)
    {
        using DisposeScope scope = NewDisposeScope();
        using Backbone ours = BackboneRegistry.Create(new BackboneSpec(name, width, 64), seed: 3);
        using Backbone single = BackboneRegistry.Create(new BackboneSpec(name, width, 64), seed: 3);
        using Backbone moved = BackboneRegistry.Create(new BackboneSpec(name, width, 64), seed: 3);
        using Backbone plain = BackboneRegistry.Create(new BackboneSpec(name, width, 64), seed: 3);
        foreach (PRelu prelu in new[] { ours, single, moved, plain }.SelectMany(b => b.modules()).OfType<PRelu>())
        {
            prelu.Slope.requires_grad = false;
            prelu.Slope.fill_(1); // No kink: values near 0 would fall on either side of it, and everything after would differ.
            prelu.Slope.requires_grad = true;
        }

        plain.to(ScalarType.Float64);
        using Generator generator = new(11);
        Tensor images = (rand([4, 3, 112, 112], generator: generator) * 2) - 1;
        Tensor gradient = randn([4, 64], generator: generator);
        Tensor embeddings = ours.call(images);
        Tensor expected = plain.call(images.to(ScalarType.Float64));
        Tensor[] rounded =
        [
            Graph(single).Run(images, AutogradEngine.Instance),
            Graph(moved).Run(images + (1e-7 * randn([4, 3, 112, 112], generator: generator)), AutogradEngine.Instance),
        ];
        embeddings.backward([gradient]);
        expected.backward([gradient.to(ScalarType.Float64)]);
        Array.ForEach(rounded, result => result.backward([gradient]));

        // float32 differs from float64 with either engine; the tape must not differ more. How much is luck, so libtorch computes it twice, with pixels that
        // differ in their last bits.
        // A scale before another normalization has a gradient near 0, whose terms cancel: they are as large as the other gradients.
        NoFurther("the embeddings", expected, rounded, embeddings);
        double all = cat([.. plain.parameters().Select(p => p.grad!.flatten())]).norm().item<double>();
        Assert.All(
            plain.parameters().Zip(single.parameters().Zip(moved.parameters()), ours.named_parameters()),
            p => NoFurther(
                $"the gradient of {p.Third.name}", p.First.grad!, [p.Second.First.grad!, p.Second.Second.grad!], p.Third.parameter.grad!, 1e-6 * all));
        Assert.All(
            plain.buffers().Zip(single.buffers().Zip(moved.buffers()), ours.named_buffers()),
            p => NoFurther(p.Third.name, p.First, [p.Second.First, p.Second.Second], p.Third.buffer));
    }

    /// <summary>
    /// Products of bfloat16 have 8 bits, of float16 11: the pass stays near float32's, its gradients point the same way, and evaluation is float32 to
    /// the bit.
    /// </summary>
    [Theory]
    [InlineData("mobilefacenet", 0.25, Precision.BFloat16, 1e-4, 0.1)]
    [InlineData("iresnet18", 1, Precision.BFloat16, 1e-4, 0.1)]
    [InlineData("mobilefacenet", 0.25, Precision.Float16, 1e-5, 0.01)]
    [InlineData("iresnet18", 1, Precision.Float16, 1e-5, 0.01)]
    public void A_pass_in_half_precision_is_near_that_in_float32(string name, double width, Precision precision, double least, double most)
    {
        using DisposeScope scope = NewDisposeScope();
        using Backbone plain = BackboneRegistry.Create(new BackboneSpec(name, width, 64), seed: 3);
        using Backbone low = BackboneRegistry.Create(new BackboneSpec(name, width, 64), seed: 3);
        foreach (ConvNorm convolution in low.modules().OfType<ConvNorm>())
        {
            convolution.Precision = precision; // As UsePrecision does if the processor supports it.
        }

        using Generator generator = new(12);
        Tensor images = (rand([4, 3, 112, 112], generator: generator) * 2) - 1;
        Tensor gradient = randn([4, 64], generator: generator);
        plain.eval();
        low.eval();
        Assert.True(plain.call(images).equal(low.call(images)).all().item<bool>());
        plain.train();
        low.train();
        Tensor expected = plain.call(images);
        Tensor embeddings = low.call(images);
        double off = ((embeddings - expected).norm() / expected.norm()).item<float>();
        Assert.InRange(off, least, most); // Not float32 after all, and not far from it.
        expected.backward([gradient]);
        embeddings.backward([gradient]);
        Tensor[] all = [.. new[] { plain, low }.Select(b => cat([.. b.parameters().Select(p => p.grad!.flatten())]))];
        Assert.All(low.parameters(), p => Assert.Equal(ScalarType.Float32, p.grad!.dtype));
        Assert.InRange(nn.functional.cosine_similarity(all[0], all[1], 0).item<float>(), 0.9, 1.001);
    }

    [Fact]
    public void Bfloat16_requires_processor_support()
    {
        using Backbone backbone = BackboneRegistry.Create(new BackboneSpec("mobilefacenet", 0.25, 16), seed: 3);
        Exception? refused = Record.Exception(() => backbone.UsePrecision(Precision.BFloat16, CPU));
        Assert.Equal(HostProcessor.SupportsBFloat16, refused is null);
        Assert.True(refused is null or UniFaceException);
        if (File.Exists("/proc/cpuinfo") && System.Runtime.Intrinsics.X86.X86Base.IsSupported)
        {
            string flags = File.ReadLines("/proc/cpuinfo").First(line => line.StartsWith("flags", StringComparison.Ordinal));
            Assert.Equal(
                flags.Contains("avx512_bf16", StringComparison.Ordinal) || flags.Contains("amx_bf16", StringComparison.Ordinal),
                HostProcessor.SupportsBFloat16);
        }
    }

    /// <summary>The layers of a backbone, without its choice of an engine.</summary>
    private static Layer Graph(Backbone backbone) => backbone.children().OfType<Layer>().Single();

    private static void NoFurther(string what, Tensor exact, Tensor[] libtorch, Tensor ours, double rounding = 1e-6)
    {
        double its = libtorch.Max(result => (exact - result.to(ScalarType.Float64)).norm().item<double>());
        double mine = (exact - ours.to(ScalarType.Float64)).norm().item<double>();
        double size = exact.norm().item<double>();
        Assert.True(mine <= (5 * its) + (2e-5 * size) + rounding, $"{what} of norm {size:E1} is off by {mine:E1}, libtorch's by {its:E1}");
    }

    [Theory]
    [InlineData(16, 3, 5, true, true)]
    [InlineData(32, 7, 7, true, false)]
    [InlineData(48, 1, 9, false, true)]
    [InlineData(64, 40, 40, true, true)]
    [InlineData(512, 1, 1, false, false)]
    [InlineData(19, 6, 6, true, true)]
    public void A_fused_batch_norm_equals_its_separate_operations(int channels, int height, int width, bool activates, bool sums)
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new((ulong)channels);
        using BatchNorm norm = new(channels);
        using PRelu prelu = new(channels);
        using (no_grad())
        {
            foreach (Parameter parameter in norm.parameters().Concat(prelu.parameters()))
            {
                parameter.add_(randn(parameter.shape, generator: generator), alpha: 0.3);
            }
        }

        // Means far from 0 compared to the deviation: no precision may be lost by cancellation. With at least 12 values per channel; the deviation of
        // three can be so small that float32, which rounds the mean, cannot represent x - mean to 1e-5 of it.
        long[] size = [Math.Max(3, 12 / (height * width)), height, width, channels];
        Tensor x = (randn(size, generator: generator) + (10 * randn([channels], generator: generator))).permute(0, 3, 1, 2); // [B, C, H, W]
        Tensor? sum = sums ? randn(size, generator: generator).permute(0, 3, 1, 2) : null;
        Tensor g = randn(x.shape, generator: generator); // Not channels-last: the kernels take any order.

        Tensor leaf = x.to(ScalarType.Float64).detach().requires_grad_(true);
        Tensor[] own = [.. norm.parameters().Concat(prelu.parameters()).Select(p => p.to(ScalarType.Float64).detach().requires_grad_(true))];
        Tensor mean = zeros(channels, ScalarType.Float64), variance = ones(channels, ScalarType.Float64);
        Tensor expected = nn.functional.batch_norm(leaf, mean, variance, own[0], own[1], true, 0.1, NormState.Epsilon);
        expected = activates ? expected.prelu(own[2]) : expected;
        expected = sum is null ? expected : expected + sum;
        expected.backward([g.to(ScalarType.Float64)]);

        TapeEngine tape = new(records: true, inputNeedsGradient: true);
        Tensor y;
        using (no_grad())
        {
            y = norm.Run(x, tape, activates ? prelu : null, sum);
        }

        Tensor dx = tape.Backward(g)!;
        Close("output", expected, y, 1e-5);
        Close("gradient of the input", leaf.grad!, dx, 1e-4);
        Close("gradient of gamma", own[0].grad!, norm.get_parameter("weight")!.grad!, 1e-4);
        Close("gradient of beta", own[1].grad!, norm.get_parameter("bias")!.grad!, 1e-5);
        if (activates)
        {
            Close("gradient of the slopes", own[2].grad!, prelu.Slope.grad!, 1e-4);
        }

        Close("running mean", mean, norm.get_buffer("running_mean")!, 1e-5);
        Close("running variance", variance, norm.get_buffer("running_var")!, 1e-5);
    }

    [Fact]
    public void Images_that_require_a_gradient_get_one()
    {
        using DisposeScope scope = NewDisposeScope();
        using Backbone backbone = BackboneRegistry.Create(new BackboneSpec("mobilefacenet", 0.25, 32), seed: 3);
        Tensor images = PrimedBackbone.Input(2, seed: 3).requires_grad_(true);
        Tensor embeddings = backbone.call(images);
        embeddings.backward([randn_like(embeddings)]);
        Assert.Equal(images.shape, images.grad!.shape);
        Assert.True(images.grad!.norm().item<float>() > 0);
    }

    private static void Close(string what, Tensor expected, Tensor actual, double tolerance)
    {
        double difference = (expected - actual.to(ScalarType.Float64)).abs().max().item<double>() / expected.abs().max().item<double>();
        Assert.True(difference < tolerance, $"{what} is off by {difference:E1} of its largest value");
    }
}
