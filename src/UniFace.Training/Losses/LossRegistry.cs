using System.Reflection;

namespace UniFace.Training.Losses;

/// <summary>A registered loss: its origin and its hyperparameters.</summary>
/// <param name="Name">Its name in text, JSON and options: "arcface".</param>
/// <param name="Description">What it does, in one sentence.</param>
/// <param name="Paper">Authors, paper, venue and year.</param>
/// <param name="MinimumClasses">The smallest number of classes that the loss can train.</param>
/// <param name="Hyperparameters">The hyperparameters, in the order in which a loss is written as text.</param>
internal sealed record LossInfo(string Name, string Description, string Paper, int MinimumClasses, IReadOnlyList<LossHyperparameter> Hyperparameters)
{
    /// <summary>The names of the hyperparameters, without duplicates.</summary>
    public IEnumerable<string> HyperparameterNames => Hyperparameters.Select(h => h.Name).Distinct();

    internal Type Type { get; init; } = typeof(Loss);
}

/// <summary>Every loss by its name: all types of this library with a <see cref="LossAttribute"/>, and those that are registered.</summary>
public static class LossRegistry
{
    /// <summary>All losses, in the order of their publication.</summary>
    internal static IReadOnlyList<LossInfo> All { get; private set; } =
        Sort(typeof(LossRegistry).Assembly.GetTypes().Where(type => type.IsDefined(typeof(LossAttribute), inherit: false)).Select(Describe));

    /// <summary>The names, in the order of <see cref="All"/>.</summary>
    public static IEnumerable<string> Names => All.Select(loss => loss.Name);

    /// <summary>Finds a loss by its name.</summary>
    /// <exception cref="UniFaceException">There is no such loss; the message lists all.</exception>
    internal static LossInfo Find(string name) => All.FirstOrDefault(loss => loss.Name == name)
        ?? throw new UniFaceException($"there is no loss '{name}'; the losses are {string.Join(", ", Names)}.");

    /// <summary>Creates a loss with the given hyperparameters and defaults for the others.</summary>
    /// <exception cref="UniFaceException">An unknown loss, a hyperparameter that it does not have, or a value out of range.</exception>
    public static Loss Create(string name, IReadOnlyDictionary<string, string> given)
    {
        ArgumentNullException.ThrowIfNull(given);
        LossInfo info = Find(name);
        foreach (string unknown in given.Keys.Where(k => !info.HyperparameterNames.Contains(k)))
        {
            throw new UniFaceException($"loss '{name}' has no hyperparameter '{unknown}'; it has {string.Join(", ", info.HyperparameterNames)}.");
        }

        Loss loss = New(info.Type);
        foreach (LossHyperparameter parameter in info.Hyperparameters)
        {
            if (parameter.AppliesTo(loss.MarginTypeName) && given.TryGetValue(parameter.Name, out string? value))
            {
                parameter.Write(loss, parameter.Parse(name, value));
            }
        }

        if (given.Keys.FirstOrDefault(k => loss.Value(k) is null) is string unused)
        {
            throw loss.NoEffect(unused);
        }

        loss.Validate();
        return loss;
    }

    /// <summary>
    /// Adds a loss of another library, so that runs can use it and its name is known to <see cref="Loss.Parse"/> and JSON. For the start of a program:
    /// two calls must not overlap.
    /// </summary>
    /// <typeparam name="TLoss">The loss, with a <see cref="LossAttribute"/> whose paper ends with its year.</typeparam>
    /// <exception cref="ArgumentException">The type has no <see cref="LossAttribute"/>, or there is a loss of that name.</exception>
    public static void Register<TLoss>()
        where TLoss : Loss, new()
    {
        LossInfo info = Describe(typeof(TLoss));
        All = Names.Contains(info.Name) ? throw new ArgumentException($"there is a loss '{info.Name}' already.") : Sort([.. All, info]);
    }

    internal static LossInfo Find(Type type) => All.FirstOrDefault(loss => loss.Type == type)
        ?? throw new InvalidOperationException($"{type} is not registered; call {nameof(LossRegistry)}.{nameof(Register)} first.");

    private static IReadOnlyList<LossInfo> Sort(IEnumerable<LossInfo> losses) =>
        [.. losses.OrderBy(loss => loss.Paper[^4..], StringComparer.Ordinal).ThenBy(loss => loss.Name, StringComparer.Ordinal)];

    private static Loss New(Type type) => (Loss)Activator.CreateInstance(type)!;

    /// <summary>Number of base classes: what most losses share (the scale) is listed before what a group of them shares.</summary>
    private static int Depth(Type type) => type.BaseType is Type parent ? 1 + Depth(parent) : 0;

    private static LossInfo Describe(Type type)
    {
        LossAttribute attribute = type.GetCustomAttribute<LossAttribute>() ?? throw new ArgumentException($"{type} has no [Loss] attribute.");
        Loss defaults = New(type);
        IEnumerable<LossHyperparameter> parameters = type.GetProperties()
            .OrderBy(property => property.DeclaringType == type ? 0 : property.DeclaringType == typeof(Loss) ? int.MaxValue : Depth(property.DeclaringType!))
            .ThenBy(property => property.MetadataToken)
            .SelectMany(property => property.GetCustomAttributes<HyperparameterAttribute>()
                .Select(a => new LossHyperparameter(property, a, defaults)));
        return new LossInfo(attribute.Name, attribute.Description, attribute.Paper, attribute.MinimumClasses, [.. parameters]) { Type = type };
    }
}
