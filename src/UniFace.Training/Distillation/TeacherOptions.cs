namespace UniFace.Training.Distillation;

/// <summary>The images from which a teacher computes the embeddings to learn.</summary>
public enum TeacherView
{
    /// <summary>The images as they are: embedded once, when the run starts. The student learns to ignore the augmentation.</summary>
    Clean,

    /// <summary>
    /// The augmented images that the student sees, computed for every batch: slower, but every augmentation is another example
    /// (Beyer et al. 2022, "Knowledge distillation: A good teacher is patient and consistent").
    /// </summary>
    Augmented,
}

/// <summary>The weights with which a student starts.</summary>
public enum StudentStart
{
    /// <summary>Random weights.</summary>
    Random,

    /// <summary>
    /// The teacher's weights, narrowed to the student's channels with the training images: for a student of the teacher's family. A few thousand
    /// photos are enough to keep most of what the teacher knows, and far too few to learn it.
    /// </summary>
    Narrowed,
}

/// <summary>How a run learns from the embeddings of another model. Part of <see cref="TrainOptions"/>.</summary>
public sealed record TeacherOptions
{
    /// <summary>The teacher: a package folder, or the name of an installed model.</summary>
    public required string Package { get; init; }

    /// <summary>Contract of the package; a resumed run refuses another one.</summary>
    public string ContractId { get; init; } = "";

    /// <summary>The images that the teacher sees.</summary>
    public TeacherView View { get; init; } = TeacherView.Clean;

    /// <summary>
    /// The training photos aligned for the teacher, with the same names; null to cut the teacher's crops out of the student's, which loses what
    /// these do not show if the templates differ. For the clean view.
    /// </summary>
    public string? Data { get; init; }

    /// <summary>The weights with which the student starts.</summary>
    public StudentStart Start { get; init; } = StudentStart.Random;

    /// <summary>Weight of 1 - cos(student, teacher), the mean over a batch.</summary>
    public double Cosine { get; init; } = 10;

    /// <summary>
    /// Weight of the mean squared difference between the cosines of each two images of a batch, by the student and by the teacher
    /// (after Park et al. 2019, "Relational Knowledge Distillation").
    /// </summary>
    public double Relational { get; init; } = 10;

    /// <summary>Weight of the run's loss. 0: labels are not used, so the photos may be unlabelled.</summary>
    public double Loss { get; init; } = 1;

    /// <summary>Checks the ranges of all values.</summary>
    /// <exception cref="UniFaceException">A weight is out of range, or all are 0.</exception>
    internal void Validate()
    {
        foreach ((string name, double weight) in new[] { (nameof(Cosine), Cosine), (nameof(Relational), Relational), (nameof(Loss), Loss) })
        {
            if (!(weight is >= 0 and <= 1e6))
            {
                throw new UniFaceException(FormattableString.Invariant($"the teacher's weight {name} is {weight}, expected 0 to 1000000."));
            }
        }

        if (Data is not null && View == TeacherView.Augmented)
        {
            throw new UniFaceException(
                "the teacher's own photos (--teacher-data) are not augmented with the student's; use them with the clean view, or leave them out.");
        }

        if (Cosine + Relational == 0)
        {
            throw new UniFaceException("the teacher's weights Cosine and Relational are both 0, so nothing is learned from it; set one.");
        }
    }
}
