// A line with smooth sides, or (BALL) a shaded ball.

in vec2 v_local;
flat in float v_half;
flat in vec4 v_colour;
out vec4 o_colour;

void main()
{
#ifdef BALL
    float radius = length(v_local);
    float amount = clamp(v_half + 0.5 - radius, 0.0, 1.0);
    vec2 n = v_local / v_half;
    float height = sqrt(max(1.0 - dot(n, n), 0.0));
    float light = 0.55 + 0.45 * clamp(dot(vec3(n, height), vec3(-0.35, 0.5, 0.79)), 0.0, 1.0);
    o_colour = vec4(v_colour.rgb * light, v_colour.a * amount);
#else
    float amount = clamp(v_half + 0.5 - abs(v_local.y), 0.0, 1.0);
    o_colour = vec4(v_colour.rgb, v_colour.a * amount);
#endif
    if (amount <= 0.0)
        discard;
}
