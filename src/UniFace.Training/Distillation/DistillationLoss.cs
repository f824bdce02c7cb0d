namespace UniFace.Training.Distillation;

/// <summary>
/// The loss of a student against a teacher's embeddings, and its gradient, without autograd. With unit vectors u of the student and t of the
/// teacher: cosine * mean(1 - u_i t_i) + relational * mean over i != j of (u_i u_j - t_i t_j)^2.
/// </summary>
/// <param name="options">The weights of the two terms.</param>
internal sealed class DistillationLoss(TeacherOptions options)
{
    /// <summary>Computes the loss of a batch. The tensors of the result belong to the current dispose scope.</summary>
    /// <param name="embeddings">The student's raw embeddings, [B, D].</param>
    /// <param name="targets">The teacher's embeddings, unit vectors, [B, D].</param>
    /// <param name="scale">Factor on the gradient; the returned loss is not scaled.</param>
    /// <returns>As a head's result: the "class center" of an image is its teacher's embedding.</returns>
    public HeadOutput Compute(Tensor embeddings, Tensor targets, double scale = 1)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable none = no_grad();
        Tensor raw = embeddings.detach();
        Tensor teacher = targets.to(raw.dtype, raw.device);
        long count = raw.shape[0];
        Tensor norm = UnitVectors.Norm(raw); // [B, 1]
        Tensor unit = UnitVectors.Normalize(raw);
        Tensor compared = unit.mm(teacher.t()); // [B, B]: each image with every teacher's embedding
        Tensor cosines = compared.diagonal().clone(); // [B]
        Tensor self = eye(count, dtype: raw.dtype, device: raw.device);
        double loss = options.Cosine * (1 - OwnedTensors.Value(cosines.mean()));
        Tensor gradient = teacher * (-options.Cosine / count); // dLoss/dUnit, [B, D]
        if (options.Relational > 0 && count > 1)
        {
            Tensor difference = (unit.mm(unit.t()) - teacher.mm(teacher.t())) * (1 - self); // [B, B]
            double pairs = (double)count * (count - 1);
            loss += options.Relational * OwnedTensors.Value(difference.square().sum()) / pairs;
            gradient = gradient + (difference.mm(unit) * (4 * options.Relational / pairs));
        }

        Tensor hasDirection = (norm > 0).to(raw.dtype);
        gradient = (gradient - (unit * (gradient * unit).sum(1, keepdim: true))) * hasDirection / where(norm > 0, norm, ones_like(norm));
        return new HeadOutput(
            loss,
            (gradient * scale).MoveToOuterDisposeScope(),
            cosines.clamp(-1, 1).MoveToOuterDisposeScope(),
            (compared - (self * 4)).amax([1]).clamp(-1, 1).MoveToOuterDisposeScope());
    }
}
