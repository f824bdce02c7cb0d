using System.Text.Json;
using TorchSharp;
using UniFace.Training.Head;
using UniFace.Training.Head.Margins;
using UniFace.Training.Losses;

namespace UniFace.Training.Tests.Losses;

/// <summary>Losses survive text and JSON; every hyperparameter is checked; errors name what is allowed.</summary>
public class LossRegistryTests
{
    public static TheoryData<string> Names => [.. TestRuntime.Losses.Select(loss => loss.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_specification_survives_its_text_and_its_json(string name)
    {
        Loss spec = Loss.Parse(name);
        Assert.Equal(spec, Loss.Parse(spec.ToString()));
        Assert.Equal(spec, JsonSerializer.Deserialize<Loss>(JsonSerializer.Serialize(spec)));
        Assert.Equal(spec, Loss.Parse(name));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_head_gives_a_loss_and_gradients(string name)
    {
        using torch.nn.Module module = Loss.Parse(name).CreateHead(7, 5, seed: 1);
        RecognitionHead head = (RecognitionHead)module;
        using torch.Generator generator = new(3);
        using torch.Tensor embeddings = torch.randn([4, 5], generator: generator) * 20;
        using torch.Tensor labels = torch.tensor(new long[] { 0, 6, 3, 3 });
        using HeadOutput output = head.ForwardBackward(embeddings, labels);
        Assert.True(double.IsFinite(output.Loss) && output.Loss > 0, $"loss {output.Loss}");
        Assert.Equal([4, 5], output.EmbeddingGradient.shape);
        Assert.True(output.EmbeddingGradient.abs().sum().item<float>() > 0);
        Assert.All(head.parameters(), p => Assert.True(p.grad is not null && p.grad.abs().sum().item<float>() > 0));
    }

    [Fact]
    public void A_value_out_of_range_is_refused_with_range_and_typical_values()
    {
        UniFaceException e = Assert.Throws<UniFaceException>(() => Loss.Parse("arcface(margin=28.6)"));
        Assert.Equal("loss 'arcface': margin = 28.6 is not allowed; it takes 0 to 1.5 (typical: 0.3 to 0.5; 0.5 radians are 28.6 degrees).", e.Message);
    }

    [Fact]
    public void Every_number_is_refused_outside_its_range()
    {
        foreach (LossInfo loss in LossRegistry.All)
        {
            foreach (LossHyperparameter parameter in loss.Hyperparameters)
            {
                string[] bad = parameter.Kind switch
                {
                    HyperparameterKind.Flag or HyperparameterKind.Choice => ["perhaps", ""],
                    _ =>
                    [
                        $"{parameter.Minimum - 0.001}", $"{parameter.Maximum * 1.001 + 0.001}", "NaN", "much",
                        parameter.MinimumExcluded ? $"{parameter.Minimum}" : "Infinity",
                    ],
                };
                Assert.All(bad, value => LossVariants.AssertRefused(parameter.Name, () => parameter.Parse(loss.Name, value)));
                parameter.Parse(loss.Name, parameter.Default);
            }
        }
    }

    [Theory]
    [InlineData("combined", "m1 (now 1), m2 (now 0.3), m3 (now 0.2), scale (now 64)")]
    [InlineData("uce(margin-type=sphere)", "m1 (now 1.5), scale (now 64)")]
    [InlineData("magface", "lm (now 0.45), um (now 0.8), scale (now 64)")]
    [InlineData("arcface(margin=0.3)", "margin (now 0.3), scale (now 64)")]
    [InlineData("adacos", "")]
    public void Divergence_advice_names_margins_and_scale(string loss, string advice) =>
        Assert.Equal(advice, string.Join(", ", Loss.Parse(loss).HyperparametersToLower));

    [Fact]
    public void The_error_about_an_unknown_hyperparameter_lists_all_of_the_loss() =>
        LossVariants.AssertRefused("loss 'cosface' has no hyperparameter 'wrap'; it has margin, scale, negative-rate.", () => Loss.Parse("cosface(wrap=easy)"));

    [Fact]
    public void A_hyperparameter_of_another_margin_type_is_refused() =>
        LossVariants.AssertRefused("m2 has no effect with margin-type arc", () => Loss.Parse("uce(margin-type=arc,m2=0.3)"));

    [Fact]
    public void The_error_about_an_unknown_loss_lists_all_losses() =>
        LossVariants.AssertRefused("softmax, normface, sphereface, cosface", () => Loss.Parse("triplet"));

    [Fact]
    public void A_loss_written_in_code_is_the_loss_written_as_text()
    {
        Assert.Equal(Loss.Parse("uce(margin=0.3,scale=32)"), new UnifiedCrossEntropy { Margin = 0.3, Scale = 32 });
        Assert.Equal(
            Loss.Parse("uce(margin-type=arc,gradient=straight-through)"),
            new UnifiedCrossEntropy { MarginType = PositiveMarginType.Arc, Gradient = MarginGradient.StraightThrough });
        Assert.Equal(new UnifiedCrossEntropy(), new UnifiedCrossEntropy { Margin = 0.4 });
        Assert.NotEqual<Loss>(new UnifiedCrossEntropy(), new BinaryCrossEntropy());
    }

    [Fact]
    public void A_loss_written_in_code_is_checked_when_its_head_is_created()
    {
        LossVariants.AssertRefused("margin = 28.6 is not allowed", () => new ArcFace { Margin = 28.6 }.CreateHead(3, 4, 1));
        LossVariants.AssertRefused("m2 has no effect with margin-type cos", () => new UnifiedCrossEntropy { M2 = 0.1 }.CreateHead(3, 4, 1));
        LossVariants.AssertRefused("above la", () => new MagFace { La = 120 }.CreateHead(3, 4, 1));
    }

    [Fact]
    public void A_registered_loss_is_parsed_and_creates_a_head()
    {
        Assert.Throws<InvalidOperationException>(() => new Registered().CreateHead(3, 4, 1));
        LossRegistry.Register<Registered>();
        Assert.Equal(new Registered { Scale = 32 }, Loss.Parse("registered(scale=32)"));
        using RecognitionHead head = new Registered().CreateHead(3, 4, 1);
        Assert.Equal("registered", head.GetName());
        Assert.Throws<ArgumentException>(LossRegistry.Register<Registered>);
    }

    [Fact]
    public void Every_paper_ends_with_its_year() =>
        Assert.All(LossRegistry.All, loss => Assert.InRange(int.Parse(loss.Paper[^4..], System.Globalization.CultureInfo.InvariantCulture), 2010, 2030));

    /// <summary>As a researcher would write it in another library.</summary>
    [Loss("registered", "Normalized softmax.", "a test, 2026")]
    private sealed class Registered : ScaledSoftmaxLoss;
}
