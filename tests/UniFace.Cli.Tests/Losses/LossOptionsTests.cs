using System.CommandLine;
using UniFace.Cli.Losses;
using UniFace.CommandLine.Terminal;
using UniFace.Training.Losses;

namespace UniFace.Cli.Tests.Losses;

/// <summary>The options of train are exactly the hyperparameters of the losses.</summary>
public class LossOptionsTests
{
    [Fact]
    public void Default_loss_is_the_unified_loss_as_published() => Assert.Equal(Loss.Parse("uce"), Read(""));

    [Theory]
    [InlineData("--loss uce --margin 0.45 --scale 32 --lambda 0.7", "uce(margin=0.45,scale=32,lambda=0.7)")]
    [InlineData("--loss uce --clamp", "uce(clamp=true)")]
    [InlineData("--loss uce --clamp false", "uce(clamp=false)")]
    [InlineData(
        "--loss uce --margin-type arc --wrap plain --gradient straight-through --bias 10",
        "uce(margin-type=arc,wrap=plain,gradient=straight-through,bias=10)")]
    [InlineData("--loss combined --m1 0.9 --m2 0.4 --m3 0.15", "combined(m1=0.9,m2=0.4,m3=0.15)")]
    [InlineData("--loss subcenter-arcface --subcenters 2 --negative-rate 0.1", "subcenter-arcface(subcenters=2,negative-rate=0.1)")]
    public void Options_are_the_hyperparameters_of_the_loss(string line, string spec) => Assert.Equal(Loss.Parse(spec), Read(line));

    [Fact]
    public void Option_that_the_loss_lacks_is_refused_with_the_options_that_it_has() =>
        Assert.Equal(
            "--loss cosface has no --lambda; it has --margin, --scale, --negative-rate.",
            Assert.Throws<UniFaceException>(() => Read("--loss cosface --lambda 1")).Message);

    [Fact]
    public void Value_out_of_range_is_refused_with_the_range() =>
        Assert.Contains("takes 0 to 1.5", Assert.Throws<UniFaceException>(() => Read("--loss arcface --margin 28.6")).Message, StringComparison.Ordinal);

    [Fact]
    public void Every_hyperparameter_is_an_option_whose_description_states_its_default()
    {
        Command command = Train();
        string[] options = [.. command.Options.Select(o => o.Name)];
        Assert.Equal(options.Distinct(), options);
        Assert.All(
            LossRegistry.All.SelectMany(l => l.Hyperparameters),
            p => Assert.Contains(p.Default, command.Options.Single(o => o.Name == "--" + p.Name).Description!, StringComparison.Ordinal));
    }

    private static Command Train() => CliCommand.Create("train", "", LossOptions.All, (_, _) => true);

    private static Loss Read(string line)
    {
        Command command = Train();
        ParseResult parsed = command.Parse(line);
        Assert.Empty(parsed.Errors);
        return LossOptions.Read(parsed);
    }
}
