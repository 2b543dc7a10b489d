// Surfaces for picking.

layout(location = 0) in vec3 a_position;

uniform mat4 u_clip; // mesh to clip

void main()
{
    gl_Position = u_clip * vec4(a_position, 1.0);
}
