// A slice plane in the scene.

in vec2 v_uv;
out vec4 o_colour;

uniform sampler2D u_picture;

void main()
{
    o_colour = vec4(texture(u_picture, v_uv).rgb, 1.0);
}
