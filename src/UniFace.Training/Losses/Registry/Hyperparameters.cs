namespace UniFace.Training.Losses.Registry;

/// <summary>Hyperparameters that several losses have.</summary>
internal static class Hyperparameters
{
    public static LossHyperparameter Number(string name, double value, double minimum, double maximum, string meaning, string usual = "", bool above = false) =>
        new(name, HyperparameterKind.Number, FormattableString.Invariant($"{value}"), meaning) { Minimum = minimum, Maximum = maximum, MinimumExcluded = above, Usual = usual };

    public static LossHyperparameter Flag(string name, bool value, string meaning) =>
        new(name, HyperparameterKind.Flag, value ? "true" : "false", meaning);

    public static LossHyperparameter Choice(string name, string value, string meaning, params string[] choices) =>
        new(name, HyperparameterKind.Choice, value, meaning) { Choices = choices };

    public static LossHyperparameter Scale(double value, string usual = "30 to 64") =>
        Number("scale", value, 0, 10_000, "s, factor that makes logits of cosines.", usual, above: true).Harder();

    public static LossHyperparameter CosineMargin(double value) =>
        Number("margin", value, 0, 1.5, "m, subtracted from the target cosine.", "0.2 to 0.5").Harder();

    public static LossHyperparameter AngularMargin(double value) =>
        Number("margin", value, 0, 1.5, "m, added to the target angle, in radians.", "0.3 to 0.5; 0.5 radians are 28.6 degrees").Harder();

    public static LossHyperparameter Wrap(string value) =>
        Choice("wrap", value, "Where theta + m passes pi: guard goes on falling, plain rises again, easy has a margin only above cosine 0.", "guard", "plain", "easy");

    public static LossHyperparameter Gradient(string value) =>
        Choice("gradient", value, "How the gradient passes the margin: by the chain rule, or as if it were a constant offset.", "chain", "straight-through");

    public static LossHyperparameter LossWeight(double value, double minimum, string meaning) =>
        Number("loss-weight", value, minimum, 10_000, meaning, "50");

    public static LossHyperparameter NegativeRate { get; } =
        Number("negative-rate", 1, 0, 1, "r, share of the classes that a step uses; all of the batch's own are always among them.", "1, or 0.1 to 0.5 for very many people", above: true);

    public static LossHyperparameter Lambda { get; } =
        Number("lambda", 1, 0, 100, "Factor on the other classes' part of the loss.", "0.6 to 1");

    public static LossHyperparameter Clamp { get; } =
        Flag("clamp", false, "Clamps the softplus's argument to [-s, s] as the paper's code does; gradients die beyond.");

    public static LossHyperparameter Only(this LossHyperparameter parameter, params string[] marginTypes) => parameter with { MarginTypes = marginTypes };

    public static LossHyperparameter Harder(this LossHyperparameter parameter) => parameter with { Hardens = true };
}
