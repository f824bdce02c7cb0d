namespace UniFace.Training.Losses;

/// <summary>Registers a loss.</summary>
/// <param name="name">Its name in text, JSON and options: "arcface".</param>
/// <param name="description">What it does, in one sentence.</param>
/// <param name="paper">Authors, paper, venue and year.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class LossAttribute(string name, string description, string paper) : Attribute
{
    /// <summary>Its name in text, JSON and options.</summary>
    public string Name { get; } = name;

    /// <summary>What it does, in one sentence.</summary>
    public string Description { get; } = description;

    /// <summary>Authors, paper, venue and year.</summary>
    public string Paper { get; } = paper;

    /// <summary>The smallest number of classes that the loss can train.</summary>
    public int MinimumClasses { get; set; } = 2;
}
